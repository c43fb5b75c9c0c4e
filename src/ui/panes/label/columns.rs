//! Which columns stand beside the text. In a window too narrow for three there is one of them at most, in one with hardly
//! room for the text none; where there is room again they stand as they stood.

/// The room of the place, in three kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Wide,
    /// For the text and one column.
    Narrow,
    /// For the text; a column that is asked for leaves it little.
    Tight,
}

impl Room {
    fn of(width: f32) -> Self {
        match width {
            ..620.0 => Self::Tight,
            620.0..880.0 => Self::Narrow,
            _ => Self::Wide,
        }
    }
}

/// The queue at the left and the inspector at the right, open or folded away.
#[derive(Debug)]
pub(super) struct Columns {
    pub queue: bool,
    pub inspector: bool,
    room: Room,
    /// What was open in the last wide window.
    wide: (bool, bool),
    /// What was open at the last frame.
    held: (bool, bool),
}

impl Default for Columns {
    fn default() -> Self {
        Self { queue: true, inspector: true, room: Room::Wide, wide: (true, true), held: (true, true) }
    }
}

/// The narrowest a column gets.
pub(super) const NARROWEST: f32 = 220.0;

impl Columns {
    /// The widest that the queue and the inspector may be in a place of this width: the text keeps half of it.
    pub fn widest(&self, width: f32) -> [f32; 2] {
        let shares = if self.room == Room::Wide { [0.27, 0.24] } else { [0.36, 0.36] };
        let [queue, inspector] = shares.map(|share| width * share);
        [queue.clamp(NARROWEST, 480.0), inspector.clamp(NARROWEST, 460.0)]
    }

    /// Before a frame: folds away what `width` has no room for.
    pub fn fit(&mut self, width: f32) {
        let room = Room::of(width);
        if self.room == Room::Wide {
            self.wide = (self.queue, self.inspector);
        }
        if room != self.room {
            (self.queue, self.inspector) = match room {
                Room::Wide => self.wide,
                Room::Narrow => (self.wide.0, false),
                Room::Tight => (false, false),
            };
        }
        self.room = room;
        // Of two in a narrow window the one that was opened last stays.
        if room != Room::Wide && self.queue && self.inspector {
            (self.queue, self.inspector) = (!self.held.0, self.held.0);
        }
        self.held = (self.queue, self.inspector);
    }
}
