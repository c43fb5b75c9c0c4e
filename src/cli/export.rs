//! `gloss export`: the documents as a file of another tool, or the model of a run as a folder.

use super::{CliError, ExportArgs, existing};
use crate::store::export::{self, ExportFormat};
use crate::store::{Opened, ProjectFile, Runs, model_folder};
use std::io::Write;

pub(super) fn run(args: &ExportArgs) -> Result<(), CliError> {
    match (&args.run, args.format) {
        (Some(run), _) => {
            let files = Runs::of(&existing(&args.project)?).model(run)?;
            model_folder::export(&args.out, &files)?;
            if model_folder::is_our_own(&files) {
                let mut out = std::io::stdout().lock();
                writeln!(out, "this network has a folder of Gloss's own form: `gloss predict` reads it, transformers does not")?;
            }
            Ok(())
        }
        (None, Some(format)) => documents(args, format),
        (None, None) => Err(CliError::Usage("say what to export: --run R for a model, --format NAME for documents".to_owned())),
    }
}

/// Says what the file can't hold, then writes it.
fn documents(args: &ExportArgs, format: ExportFormat) -> Result<(), CliError> {
    let Opened { project, history, .. } = ProjectFile::open(&args.project)?;
    let exported = export::export_with(&project, Some(&history), format)?;
    let mut out = std::io::stdout().lock();
    let unit = exported.unit.map_or_else(String::new, |unit| format!("; offsets count {unit}"));
    writeln!(out, "{}: {} documents{unit}", format.name(), exported.documents)?;
    let sentences = exported.sentences();
    if sentences.is_empty() {
        writeln!(out, "nothing is lost")?;
    } else {
        writeln!(out, "this format can't hold:")?;
    }
    for sentence in sentences {
        writeln!(out, "  {sentence}")?;
    }
    out.flush()?;
    if let Some(list) = &args.save_list {
        export::save_losses(&exported.losses, list)?;
    }
    if args.dry_run {
        writeln!(out, "nothing was written: this was a dry run")?;
        return Ok(());
    }
    exported.write(&args.out)?;
    if args.sidecar {
        let path = export::Exported::sidecar(&args.out);
        export::export_with(&project, Some(&history), ExportFormat::Jsonl)?.write(&path)?;
        writeln!(out, "all of it stands in {} too", path.display())?;
    }
    if args.verify {
        let verified = export::verify(&project, format, &args.out, &exported.losses)?;
        if verified.is_identical() {
            writeln!(out, "read back: identical")?;
        } else {
            writeln!(out, "read back: {} documents, with these differences:", verified.documents)?;
        }
        for sentence in verified.sentences() {
            writeln!(out, "  {sentence}")?;
        }
        if !verified.is_as_said() {
            return Err(CliError::Failed("what was read back differs from the project in ways that were not said before".to_owned()));
        }
    }
    Ok(out.flush()?)
}
