//! The networks' arithmetic over float32 slices, forward and backward, on all threads of the current pool.
//!
//! Every kernel is ordinary safe Rust in loops that the compiler vectorises; [`simd!`] compiles each one for AVX-512,
//! AVX2 and the baseline and picks at run time. Results do not depend on the number of threads: sums over rows are
//! taken in blocks of [`BLOCK`] rows and added in order.
//!
//! This folder is the only place with `unsafe`: calls of functions compiled for instructions that were just found
//! (`simd!`), pointers handed to the tiles of a matrix product after a check of bounds (`matmul`, `tile`), and heads of a text that write
//! their own columns of shared rows (`attention`).
#![allow(unsafe_code)]

use std::sync::OnceLock;

mod adam;
mod attention;
mod feed;
mod frozen;
mod half;
mod int8;
mod math;
mod matmul;
mod norm;
mod pool;
mod precision;
mod recurrent;
mod tile;

pub use adam::{AdamStep, adam_step};
pub use attention::{Attention, AttentionSaved, attention_backward, attention_forward};
pub use feed::{activate_backward, activate_forward};
pub use frozen::{FrozenLinear, Norm, Stored, activate_rows, add_to_rows, norm_rows};
pub use half::to_bfloat16;
pub use math::{erf, exp, sum_of_squares};
pub use matmul::{Mat, MatMut, Packed, linear, linear_input_grad, linear_weight_grad, matmul, matmul_packed};
pub use norm::{NormBackward, NormGrads, NormInput, NormOutput, column_sums, drop_rows, norm_backward, norm_forward};
pub use pool::{Buf, Pool};
pub use precision::Precision;
pub use recurrent::{Cell, Trace, recur_backward, recur_forward};

/// Rows a thread takes at once; also the blocks in which sums over rows are taken.
pub const BLOCK: usize = 32;

/// What the processor can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Base,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// The widest instruction set there is, unless `narrow_to` asked for another.
#[inline]
pub(super) fn level() -> Level {
    *LEVEL.get_or_init(|| found(""))
}

fn found(asked: &str) -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let wide = has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512bw") && has!("fma");
        if wide && !matches!(asked, "avx2" | "base") {
            return Level::Avx512;
        }
        if has!("avx2") && has!("fma") && asked != "base" {
            return Level::Avx2;
        }
    }
    let _ = asked;
    Level::Base
}

/// Whether the processor multiplies pairs of bfloat16 in one instruction, and is not kept from it.
pub(super) fn has_pairs() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static FOUND: OnceLock<bool> = OnceLock::new();
        *FOUND.get_or_init(|| level() == Level::Avx512 && std::arch::is_x86_feature_detected!("avx512bf16"))
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// As [`has_pairs`], of four whole numbers of eight bits.
pub(super) fn has_fours() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static FOUND: OnceLock<bool> = OnceLock::new();
        *FOUND.get_or_init(|| level() == Level::Avx512 && std::arch::is_x86_feature_detected!("avx512vnni"))
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Has the kernels use nothing wider than `base` or `avx2`: to test those versions. Without effect once a kernel has run.
pub fn narrow_to(instructions: &str) {
    LEVEL.set(found(instructions)).ok();
}

/// Defines a function whose body is compiled for each instruction set. Inside, `FMA` says whether a fused
/// multiply-add is one instruction.
///
/// Sound because a version is called only when `level` has found all its instructions on this processor; the bodies
/// themselves are safe code.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, clippy::extra_unused_type_parameters)]
            fn body<const FMA: bool>($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
            match $crate::nn::kernels::level() {
                // SAFETY: `level` found the instructions that this version was compiled for.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::Level::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::Level::Avx2 => unsafe { avx2($($arg),*) },
                $crate::nn::kernels::Level::Base => body::<{ cfg!(target_arch = "aarch64") }>($($arg),*),
            }
        }
    };
}
pub(super) use simd;
