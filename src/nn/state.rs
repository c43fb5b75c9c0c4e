//! Lists of numbers with a note, as a safetensors file: what a run keeps to go on exactly. Written list after list, so
//! that no copy of them all is made; the file itself is the caller's.

use super::fast::Read;
use candle_core::{Device, Error, Result, Tensor};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Numbers that are kept, where they are.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// Contiguous float32, on any device.
    Tensor(&'a Tensor),
    List(&'a [f32]),
}

const NOTE: &str = "note";

/// Numbers written at once.
const CHUNK: usize = 1 << 14;

/// Lists by name, and a note.
#[derive(Debug)]
pub struct State<'a> {
    pub lists: Vec<(String, Numbers<'a>)>,
    pub note: String,
}

impl State<'_> {
    /// Writes all of it.
    ///
    /// # Errors
    /// When `out` can't be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = self.header()?;
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for (_, numbers) in &self.lists {
            match numbers {
                Numbers::Tensor(tensor) => {
                    let tensor = tensor.to_device(&Device::Cpu).map_err(io::Error::other)?;
                    write_list(out, &Read::of(&tensor).map_err(io::Error::other)?)?;
                }
                Numbers::List(list) => write_list(out, list)?,
            }
        }
        Ok(())
    }

    fn header(&self) -> io::Result<Vec<u8>> {
        let mut header = serde_json::Map::new();
        header.insert("__metadata__".to_owned(), serde_json::json!({ NOTE: self.note }));
        let mut start = 0;
        for (name, numbers) in &self.lists {
            let count = match numbers {
                Numbers::Tensor(tensor) => tensor.elem_count(),
                Numbers::List(list) => list.len(),
            };
            let end = start + 4 * count;
            header.insert(name.clone(), serde_json::json!({ "dtype": "F32", "shape": [count], "data_offsets": [start, end] }));
            start = end;
        }
        let mut header = serde_json::to_vec(&header)?;
        // The numbers begin at a multiple of 8, as the format wants.
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok(header)
    }
}

fn write_list(out: &mut dyn Write, list: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * CHUNK.min(list.len()));
    for part in list.chunks(CHUNK) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// What [`State::write`] has written.
#[derive(Debug)]
pub struct StateFile {
    lists: BTreeMap<String, Vec<f32>>,
    note: String,
}

impl StateFile {
    /// # Errors
    /// Not such a file, or a damaged one.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let damaged = |error: safetensors::SafeTensorError| Error::Msg(error.to_string()).bt();
        let (_, meta) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let note = meta.metadata().as_ref().and_then(|meta| meta.get(NOTE)).cloned().unwrap_or_default();
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let lists = file.tensors().into_iter().map(|(name, list)| (name, list.data().chunks_exact(4).map(number).collect()));
        Ok(Self { lists: lists.collect(), note })
    }

    pub fn note(&self) -> &str {
        &self.note
    }

    /// Takes a list out.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn take(&mut self, name: &str) -> Result<Vec<f32>> {
        self.lists.remove(name).ok_or_else(|| Error::Msg(format!("{name} is missing")).bt())
    }

    /// Whether there is a list whose name begins so.
    pub fn has(&self, start: &str) -> bool {
        self.lists.keys().any(|name| name.starts_with(start))
    }
}
