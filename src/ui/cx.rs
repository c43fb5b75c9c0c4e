//! What a pane may see and ask for.

use super::i18n;
use crate::desk::{Command, Desk, Language};

/// The places of the window, in the order of the rail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    #[default]
    Label,
    Train,
    Test,
    Insights,
    Data,
}

impl Place {
    pub const ALL: [Self; 5] = [Self::Label, Self::Train, Self::Test, Self::Insights, Self::Data];

    /// A word for [`i18n`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Label => "Label",
            Self::Train => "Train",
            Self::Test => "Test",
            Self::Insights => "Insights",
            Self::Data => "Data",
        }
    }
}

/// Wishes of a frame, carried out after drawing.
#[derive(Default)]
pub struct Commands {
    queue: Vec<(&'static std::panic::Location<'static>, Command)>,
    goto: Option<Place>,
}

impl Commands {
    /// Queues a command and remembers which line asked.
    #[track_caller]
    pub fn send(&mut self, command: Command) {
        self.queue.push((std::panic::Location::caller(), command));
    }

    /// Takes out what was queued, oldest first.
    pub fn take(&mut self) -> Vec<Command> {
        let queued = std::mem::take(&mut self.queue);
        queued
            .into_iter()
            .map(|(asker, command)| {
                log::debug!("{}:{} asks for {command:?}", asker.file(), asker.line());
                command
            })
            .collect()
    }

    /// Shows another place after this frame.
    pub fn goto(&mut self, place: Place) {
        self.goto = Some(place);
    }

    /// Takes out the place that was asked for.
    pub fn take_goto(&mut self) -> Option<Place> {
        self.goto.take()
    }
}

/// What a pane may see and ask for.
pub struct Cx<'a> {
    pub desk: &'a Desk,
    pub commands: &'a mut Commands,
    /// Dialogs the pane wants opened; answers come back to the app.
    pub dialogs: &'a mut super::dialogs::Dialogs,
}

impl Cx<'_> {
    #[track_caller]
    pub fn send(&mut self, command: Command) {
        self.commands.send(command);
    }

    /// Shows another place after this frame.
    pub fn goto(&mut self, place: Place) {
        self.commands.goto(place);
    }

    pub fn language(&self) -> Language {
        self.desk.settings().language
    }

    /// The words for an English sentence in the chosen language.
    pub fn t(&self, english: &'static str) -> &'static str {
        i18n::translate(self.language(), english)
    }

    /// A sentence from below this room, with names and numbers in it already.
    pub fn said(&self, sentence: &str) -> String {
        i18n::said(self.language(), sentence)
    }

    /// The same with `{}` places filled in order.
    pub fn tf(&self, english: &'static str, parts: &[&dyn std::fmt::Display]) -> String {
        i18n::fill(self.t(english), parts)
    }
}
