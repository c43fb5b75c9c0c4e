//! `gloss encoder`: fetches an encoder from a hub into a folder that `train --encoder` takes.

use super::{CliError, EncoderArgs};
use crate::store::Settings;
use crate::store::hub::{Hub, HubError, folder_of};
use std::io::{IsTerminal, Write};

impl From<HubError> for CliError {
    fn from(error: HubError) -> Self {
        match error {
            HubError::BadName(_) | HubError::BadEndpoint(_) => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

pub(super) fn run(args: &EncoderArgs) -> Result<(), CliError> {
    let hub = Hub::of_system(args.endpoint.as_deref())?;
    let folder = match (&args.to, Settings::folder().as_deref().map(Settings::encoders_of)) {
        (Some(folder), _) => folder.clone(),
        (None, Some(encoders)) => folder_of(&encoders, &args.name),
        (None, None) => return Err(CliError::Usage("there is no place for encoders here; name a folder with --to".to_owned())),
    };
    let mut out = std::io::stderr();
    let shows = out.is_terminal();
    let done = hub.download(&args.name, &args.revision, &folder, &mut |progress| {
        if shows {
            let share = 100 * progress.done / progress.total.max(1);
            write!(out, "\r{}: {share} % of {} MB ", progress.file, progress.total / 1_000_000).ok();
        }
        true
    });
    if shows {
        writeln!(out).ok();
    }
    done?;
    writeln!(std::io::stdout(), "{}", folder.display())?;
    Ok(())
}
