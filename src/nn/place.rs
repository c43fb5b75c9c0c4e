//! Where a network computes: on the processor by our kernels, or on a graphics card by candle's ops in mixed precision
//! (weights, their steps and all sums in float32, the large products of rounded numbers).
//!
//! The card's way runs on the processor too ([`Place::reference`]): that is how it is tested without a card.

use candle_core::{DType, Device, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a run or a command is asked to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// On a graphics card where this program was built for one and one is there, else on the processor.
    #[default]
    Auto,
    Cpu,
    Cuda,
    Metal,
    /// On the processor by the ops of a graphics card, in float32: slow, to compare.
    Reference,
}

impl DeviceChoice {
    pub const ALL: [Self; 5] = [Self::Auto, Self::Cpu, Self::Cuda, Self::Metal, Self::Reference];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
            Self::Reference => "reference",
        }
    }
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let found = Self::ALL.into_iter().find(|choice| choice.name() == name);
        found.ok_or_else(|| format!("there is no device {name:?}; auto, cpu, cuda and metal are possible"))
    }
}

/// A device with the way to compute on it.
#[derive(Clone, Debug)]
pub struct Place {
    device: Device,
    /// By candle's ops rather than by our kernels.
    by_ops: bool,
    /// What the numbers of large products are rounded to.
    products: DType,
}

impl Default for Place {
    fn default() -> Self {
        Self::processor()
    }
}

impl Place {
    /// On the processor, by our kernels.
    pub fn processor() -> Self {
        Self { device: Device::Cpu, by_ops: false, products: DType::F32 }
    }

    /// On the processor, by the ops of a graphics card; `rounded`: in its mixed precision.
    pub fn reference(rounded: bool) -> Self {
        Self { device: Device::Cpu, by_ops: true, products: if rounded { DType::BF16 } else { DType::F32 } }
    }

    /// The place that was asked for, or the processor; and a sentence where a person should know which it is.
    pub fn find(choice: DeviceChoice) -> (Self, Option<String>) {
        let wanted: &[Card] = match choice {
            DeviceChoice::Cpu => return (Self::processor(), None),
            DeviceChoice::Reference => {
                let note = "computes on the processor by the ops of a graphics card (device=reference)";
                return (Self::reference(false), Some(note.to_owned()));
            }
            // Where nothing was built in there is nothing to tell.
            DeviceChoice::Auto => Card::BUILT_IN,
            DeviceChoice::Cuda => &[Card::Cuda],
            DeviceChoice::Metal => &[Card::Metal],
        };
        let mut why = None;
        for card in wanted {
            match card.open() {
                Ok(place) => {
                    let note = place.told(*card);
                    return (place, Some(note));
                }
                Err(reason) => why = Some(reason),
            }
        }
        (Self::processor(), why.map(|reason| format!("computes on the processor: {reason}")))
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether networks run as candle's ops here.
    pub fn by_ops(&self) -> bool {
        self.by_ops
    }

    /// A tensor as large products here take it.
    pub(super) fn rounded(&self, x: &Tensor) -> Result<Tensor> {
        x.to_dtype(self.products)
    }

    fn told(&self, card: Card) -> String {
        let products = if self.products == DType::F32 { "float32" } else { "bfloat16, everything else in float32" };
        format!("computes on {} ({:?}), matrix products in {products}", card.name(), self.device.location())
    }
}

/// A kind of graphics card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Card {
    Cuda,
    Metal,
}

impl Card {
    /// Those this program was built for.
    const BUILT_IN: &[Self] = &[
        #[cfg(feature = "cuda")]
        Self::Cuda,
        #[cfg(feature = "metal")]
        Self::Metal,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Cuda => "CUDA",
            Self::Metal => "Metal",
        }
    }

    fn feature(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// The first card of the kind, once it has multiplied right; else why not.
    fn open(self) -> std::result::Result<Place, String> {
        let name = self.name();
        if !Self::BUILT_IN.contains(&self) {
            return Err(format!("this program was built without {name}; build it with --features {}", self.feature()));
        }
        // Libraries of the driver that are missing are a panic.
        let opened = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Cuda => Device::new_cuda(0),
            Self::Metal => Device::new_metal(0),
        }));
        let device = match opened {
            Ok(Ok(device)) => device,
            Ok(Err(error)) => return Err(format!("no {name} device answers ({error})")),
            Err(_) => return Err(format!("no {name} device answers (its driver is missing or broken)")),
        };
        if !multiplies(&device, DType::F32) {
            return Err(format!("the {name} device does not multiply right"));
        }
        let products = if multiplies(&device, DType::BF16) { DType::BF16 } else { DType::F32 };
        Ok(Place { device, by_ops: true, products })
    }
}

/// Whether a small product comes out right on a device.
fn multiplies(device: &Device, dtype: DType) -> bool {
    let product = || -> Result<Vec<f32>> {
        let x = Tensor::new(&[[1f32, 2.0], [3.0, 4.0]], device)?.to_dtype(dtype)?;
        x.matmul(&x)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()
    };
    matches!(catch_unwind(AssertUnwindSafe(product)), Ok(Ok(found)) if found == [7.0, 10.0, 15.0, 22.0])
}
