//! `gloss duplicate`, `archive`, `unarchive`, `extract`, `anonymise` and `restore`: copies of projects, whole or in part.

use super::args::{AnonymiseArgs, ArchiveArgs, CopyArgs, ExtractArgs, RestoreArgs, StateName};
use super::{CliError, now_ms};
use crate::project::{Anonymiser, Condition, Document, Filter, Order, Private, Project, Queue, Replaced, State, What};
use crate::store::{Settings, StoreError, copies, read_project};
use std::io::Write;
use std::path::Path;

pub(super) fn duplicate(args: &CopyArgs) -> Result<(), CliError> {
    Ok(copies::duplicate(&args.project, &args.to)?)
}

pub(super) fn archive(args: &ArchiveArgs) -> Result<(), CliError> {
    let files = copies::archive(&args.project, &args.to, !args.without_runs)?;
    Ok(writeln!(std::io::stdout(), "{files} files in {}", args.to.display())?)
}

pub(super) fn unarchive(args: &CopyArgs) -> Result<(), CliError> {
    Ok(copies::unarchive(&args.project, &args.to)?)
}

pub(super) fn extract(args: &ExtractArgs) -> Result<(), CliError> {
    let (project, _) = read_project(&args.project)?;
    let filter = filter(&project, args)?;
    let queue = Queue::of(&project, &filter, Order::Arrival);
    let documents: Vec<Document> = queue.ids().iter().filter_map(|id| project.document(*id).cloned()).collect();
    let count = documents.len();
    if count == 0 {
        return Err(CliError::Failed("no document is left by what was asked for; nothing was written".to_owned()));
    }
    let name = format!("{count} documents of {}", file_name(&args.project));
    write(&project, &args.to, project.annotators().to_vec(), project.guidelines().to_owned(), documents, name)?;
    Ok(writeln!(std::io::stdout(), "{count} documents in {}", args.to.display())?)
}

fn filter(project: &Project, args: &ExtractArgs) -> Result<Filter, CliError> {
    let schema = project.schema();
    let mut what = Vec::new();
    if let Some(state) = args.state {
        what.push(What::State(match state {
            StateName::Todo => State::Todo,
            StateName::Done => State::Done,
            StateName::Skipped => State::Skipped,
        }));
    }
    if args.flagged {
        what.push(What::Flagged);
    }
    for name in &args.class {
        let found = schema.questions().find_map(|(id, question)| Some((id, question.class(name)?)));
        let (question, class) = found.ok_or_else(|| CliError::Usage(format!("no question has the class {name:?}")))?;
        what.push(What::Class(question, Some(class)));
    }
    for name in &args.span {
        what.push(What::Span(schema.span_label(name).ok_or_else(|| CliError::Usage(format!("there is no span label {name:?}")))?));
    }
    what.extend(args.column.iter().map(|(column, value)| What::Column(column.clone(), value.clone())));
    let conditions = what.into_iter().map(|what| Condition { not: false, what }).collect();
    Ok(Filter { search: args.search.clone().unwrap_or_default(), conditions, any: args.any, only: None })
}

pub(super) fn anonymise(args: &AnonymiseArgs) -> Result<(), CliError> {
    let (project, _) = read_project(&args.project)?;
    let names = match &args.names {
        Some(file) => std::fs::read_to_string(file).map_err(|error| CliError::Failed(format!("{}: {error}", file.display())))?,
        None => String::new(),
    };
    let private = Private {
        names: names.lines().map(str::to_owned).collect(),
        phones: args.phones,
        mails: args.mails,
        patterns: args.pattern.clone(),
    };
    if private.names.is_empty() && !private.phones && !private.mails && private.patterns.is_empty() {
        return Err(CliError::Usage("say what to take out: --names FILE, --phones, --mails or --pattern REGEX".to_owned()));
    }
    if let Some(path) = args.key.as_ref().filter(|key| key.exists()) {
        return Err(StoreError::Exists { path: path.clone() }.into());
    }
    let mut anonymiser = Anonymiser::new(&private).map_err(|error| CliError::Usage(error.to_string()))?;
    rewrite(&project, &args.to, &mut anonymiser, "anonymised documents")?;
    let Replaced { key, counts, .. } = anonymiser.finish();
    if let Some(file) = &args.key {
        copies::write_key_of(file, &key, &args.to)?;
    }
    let mut out = std::io::stdout().lock();
    for (kind, count) in &counts {
        writeln!(out, "{} replaced: {count}", kind.to_lowercase())?;
    }
    writeln!(out, "{} different words; the journal and the runs stay behind", key.len())?;
    Ok(out.flush()?)
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), CliError> {
    let (project, _) = read_project(&args.project)?;
    let key = copies::read_key(&args.key)?;
    let mut restorer = Anonymiser::restoring(&key).map_err(|error| CliError::Failed(error.to_string()))?;
    rewrite(&project, &args.to, &mut restorer, "restored documents")?;
    match restorer.finish().widened {
        0 => Ok(()),
        widened => {
            let what = format!("{widened} marks ended inside a stand-in; they hold all of its words now");
            Ok(writeln!(std::io::stdout(), "{what}")?)
        }
    }
}

fn rewrite(project: &Project, to: &Path, anonymiser: &mut Anonymiser, step: &str) -> Result<(), CliError> {
    let documents: Vec<&Document> = project.documents().collect();
    let (documents, annotators, guidelines) = anonymiser.all(&documents, project.annotators(), project.guidelines());
    write(project, to, annotators, guidelines, documents, step.to_owned())
}

fn write(
    project: &Project,
    to: &Path,
    annotators: Vec<String>,
    guidelines: String,
    documents: Vec<Document>,
    step: String,
) -> Result<(), CliError> {
    let author = Settings::load().author;
    Ok(copies::new_with(to, project.schema(), (&annotators, &guidelines), documents, (step, author, now_ms()))?)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
