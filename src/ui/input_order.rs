//! Keys and clicks in the order they were made. A slow frame brings several at once, and each means what it meant when
//! it was made: letters after `/` belong to the search, a digit after a click to the document that was clicked. So a
//! frame gets one gesture, and what came after it waits for the next frames. Knows no desk and no pane.

use super::keys;
use eframe::egui::Event;
use std::collections::VecDeque;

/// Holds back what came after a gesture that may change who is meant.
#[derive(Debug, Default)]
pub struct InputOrder {
    waiting: VecDeque<Event>,
}

/// What the events of a frame have ended with so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Nothing,
    /// A key that was a gesture; the letter it types belongs to it.
    Key {
        letter_due: bool,
    },
    Click,
}

impl InputOrder {
    /// Leaves in `events` what this frame may have of them and of what waits; `typing` is whether a text field has the
    /// focus. Answers whether more waits, so that another frame is wanted.
    pub fn admit(&mut self, events: &mut Vec<Event>, typing: bool) -> bool {
        self.waiting.extend(events.drain(..));
        let mut ending = Ending::Nothing;
        while let Some(event) = self.waiting.pop_front() {
            if !may_follow(ending, &event) {
                self.waiting.push_front(event);
                self.drop_repeats();
                return true;
            }
            ending = after(ending, &event, typing);
            events.push(event);
        }
        false
    }

    /// A held key goes on for as long as it is held, not for as long as frames are late.
    fn drop_repeats(&mut self) {
        let mut dropped = false;
        self.waiting.retain(|event| {
            let letter_of_dropped = dropped && matches!(event, Event::Text(_));
            dropped = matches!(event, Event::Key { pressed: true, repeat: true, .. });
            !dropped && !letter_of_dropped
        });
    }
}

fn may_follow(ending: Ending, event: &Event) -> bool {
    match event {
        Event::Text(_) => matches!(ending, Ending::Nothing | Ending::Key { letter_due: true }),
        Event::Key { pressed: true, .. } | Event::Ime(_) | Event::Paste(_) | Event::Copy | Event::Cut => ending == Ending::Nothing,
        // Both clicks of a double click may come in one frame.
        Event::PointerButton { pressed: true, .. } => !matches!(ending, Ending::Key { .. }),
        _ => true,
    }
}

fn after(ending: Ending, event: &Event, typing: bool) -> Ending {
    match event {
        Event::Key { key, pressed: true, modifiers, .. } if !typing || keys::leaves_a_field(*key, *modifiers) => {
            Ending::Key { letter_due: true }
        }
        Event::Text(_) if matches!(ending, Ending::Key { .. }) => Ending::Key { letter_due: false },
        Event::PointerButton { pressed: false, .. } if ending == Ending::Nothing => Ending::Click,
        _ => ending,
    }
}
