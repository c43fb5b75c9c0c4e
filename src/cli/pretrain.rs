//! `gloss pretrain`: an encoder that has read the project's own reviews, labelled or not, as a folder to train from.

use super::{CliError, PretrainArgs, ProgressLine, existing};
use crate::desk::encoder_files;
use crate::project::Split;
use crate::store::{model_folder, read_project};
use crate::train::{EncoderChoice, TrainConfig, pretrain};
use std::sync::Arc;

pub(super) fn run(args: &PretrainArgs) -> Result<(), CliError> {
    // Rates and epochs of their own: no label pulls, and each epoch reads everything.
    let mut config = TrainConfig { epochs: 1, lr: 5e-5, batch_examples: 16, ..TrainConfig::default() };
    for (key, value) in &args.settings {
        config.set(key, value)?;
    }
    if args.to.exists() {
        return Err(CliError::Failed(format!("{} is there already; choose another folder", args.to.display())));
    }
    let (project, _) = read_project(&existing(&args.project)?)?;
    // What a model is judged by at the end stays unread.
    let texts: Vec<Arc<str>> = project
        .documents()
        .filter(|doc| doc.split != Some(Split::Test) && !doc.text.trim().is_empty())
        .map(|doc| doc.text.clone())
        .collect();
    let choice = args.encoder.clone().map_or(EncoderChoice::Shipped, EncoderChoice::Folder);
    let files = encoder_files(&choice)?;
    let mut line = ProgressLine::new();
    let (mut first, mut last) = (Vec::new(), 0.0);
    const FIRST_STEPS: usize = 20;
    let made = pretrain(&files, &texts, &config, &mut |step| {
        if first.len() < FIRST_STEPS {
            first.push(step.loss);
        }
        last = if last == 0.0 { step.loss } else { 0.95 * last + 0.05 * step.loss };
        line.passing(&format!("step {}/{}  loss {:.4}", step.step, step.steps, step.loss));
        true
    });
    line.clear();
    let made = made.map_err(|error| CliError::Failed(error.to_string()))?;
    let Some(made) = made else { return Err(CliError::Failed("it ended before its time".to_owned())) };
    model_folder::write(&args.to, &made)?;
    let began = first.iter().sum::<f64>() / first.len().max(1) as f64;
    eprintln!("{} reviews read; loss of hidden pieces {began:.3} at first, {last:.3} at the end", texts.len());
    println!("{}", args.to.display());
    Ok(())
}
