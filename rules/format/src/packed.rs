//! Encodes numbers and texts as bytes. Decoding copies nothing.

/// Encodes.
#[derive(Debug, Default)]
pub struct PackedWriter(Vec<u8>);

impl PackedWriter {
    /// Seven bits per byte, the lowest first; all bytes but the last have the highest bit set.
    pub fn number(&mut self, mut number: usize) {
        while number > 0x7f {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// The length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// An optional text: a list of none or one.
    pub fn option(&mut self, text: Option<&str>) {
        self.list(text);
    }

    /// The number of texts, then each.
    pub fn list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        let texts: Vec<&str> = texts.into_iter().collect();
        self.number(texts.len());
        texts.iter().for_each(|text| self.bytes(text.as_bytes()));
    }

    /// The encoded bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Decodes. All methods return `None` at the end of the bytes.
#[derive(Clone, Copy, Debug)]
pub struct PackedReader<'b>(pub &'b [u8]);

impl<'b> PackedReader<'b> {
    /// The next number.
    pub fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The next bytes.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next text.
    pub fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The next optional text.
    pub fn option(&mut self) -> Option<Option<&'b str>> {
        match self.number()? {
            0 => Some(None),
            _ => Some(Some(self.text()?)),
        }
    }

    /// The texts of the next list.
    pub fn list(&mut self) -> Option<Vec<&'b str>> {
        (0..self.number()?).map(|_| self.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_not() {
        let numbers = [0, 1, 127, 128, 300, usize::MAX];
        let mut writer = PackedWriter::default();
        numbers.iter().for_each(|number| writer.number(*number));
        writer.option(None);
        writer.option(Some("größer"));
        writer.list(["a", ""]);
        let bytes = writer.into_bytes();
        let mut reader = PackedReader(&bytes);
        for number in numbers {
            assert_eq!(reader.number(), Some(number));
        }
        assert_eq!((reader.option(), reader.option()), (Some(None), Some(Some("größer"))));
        let mut cut = PackedReader(reader.0.split_last().unwrap().1);
        assert_eq!((reader.list(), reader.0.len()), (Some(vec!["a", ""]), 0));
        assert_eq!((cut.list(), reader.number()), (None, None));
        assert_eq!(PackedReader(&[0xff; 11]).number(), None);
        assert_eq!(PackedReader(&[1, 1, 0xff]).list(), None);
    }
}
