//! The messages of an ONNX file, written field by field as protocol buffers
//! (<https://protobuf.dev/programming-guides/encoding/>); the numbers of the fields are those of `onnx.proto`. Only what a
//! graph of plain ops needs; nothing is read here.

/// A message under way: its fields as bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, 0);
        self.varint(value as u64);
        self
    }

    pub fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    pub fn texts(self, field: u32, values: &[&str]) -> Self {
        values.iter().fold(self, |message, value| message.text(field, value))
    }
}

/// Types of numbers, as `TensorProto.DataType` counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float = 1,
    Int64 = 7,
}

/// An attribute of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting<'a> {
    Int(i64),
    Float(f32),
    Ints(&'a [i64]),
}

/// `AttributeProto`
pub(super) fn attribute(name: &str, setting: Setting) -> Message {
    let message = Message::default().text(1, name);
    match setting {
        Setting::Float(value) => message.float(2, value).int(20, 1),
        Setting::Int(value) => message.int(3, value).int(20, 2),
        Setting::Ints(values) => values.iter().fold(message, |message, value| message.int(8, *value)).int(20, 7),
    }
}

/// `TensorProto`, its numbers little-endian.
pub(super) fn tensor(name: &str, shape: &[usize], element: Element, numbers: &[u8]) -> Message {
    let message = shape.iter().fold(Message::default(), |message, size| message.int(1, *size as i64));
    message.int(2, element as i64).text(8, name).bytes(9, numbers)
}

/// `ValueInfoProto`: an input or output of the graph. A size that has a name may be any.
pub(super) fn value(name: &str, element: Element, shape: &[Size]) -> Message {
    let dims = shape.iter().fold(Message::default(), |dims, size| {
        let dim = match size {
            Size::Of(size) => Message::default().int(1, *size as i64),
            Size::Any(name) => Message::default().text(2, name),
        };
        dims.message(1, &dim)
    });
    let tensor = Message::default().int(1, element as i64).message(2, &dims);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// A size in the shape of an input or output.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    Of(usize),
    Any(&'static str),
}
