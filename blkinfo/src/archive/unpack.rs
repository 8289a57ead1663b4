//! Compressed inputs, unpacked while they are read.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::utf16::{Order, Utf8};

/// Bytes by which an input is recognised: a tar header, or the beginning of a log.
pub const SAMPLE: usize = 64 * 1024;
/// Deepest nesting of compression.
const MAX_LAYERS: usize = 3;
/// Memory that xz may ask for.
const XZ_MEMORY: u64 = 256 * 1024 * 1024;
/// Window that zstd may ask for: 2 to this power bytes.
const ZSTD_WINDOW: u32 = 27;
/// What unpacks to more than this, and to more than [`MAX_TIMES`] its size, is made to fill a disk.
const HARMLESS: u64 = 1024 * 1024 * 1024;
/// Logs shrink to a hundredth at most.
const MAX_TIMES: u64 = 500;

/// A stream whose beginning was looked at.
pub struct Stream<'r> {
    /// Its first bytes; they are not in `rest`.
    pub begin: Vec<u8>,
    /// What follows.
    pub rest: Box<dyn Read + 'r>,
    /// It was compressed.
    pub packed: bool,
}

impl<'r> Stream<'r> {
    /// Looks at the beginning, and unpacks as long as that is compressed.
    pub fn open(input: impl Read + 'r) -> io::Result<Self> {
        let mut stream = Stream { begin: Vec::new(), rest: Box::new(input), packed: false };
        stream.look()?;
        for _ in 0..MAX_LAYERS {
            let Some(unpacked) = stream.unpacked() else { break };
            stream = unpacked?;
            stream.packed = true;
        }
        Ok(stream)
    }

    /// Reads the first bytes. What comes before an error counts.
    fn look(&mut self) -> io::Result<()> {
        let mut begin = Vec::new();
        let read = self.rest.by_ref().take(SAMPLE as u64).read_to_end(&mut begin);
        if begin.is_empty() {
            read?;
        }
        self.begin = begin;
        Ok(())
    }

    fn unpacked(&mut self) -> Option<io::Result<Stream<'r>>> {
        let encoding = Encoding::of(&self.begin)?;
        let begin = Cursor::new(std::mem::take(&mut self.begin));
        let rest = std::mem::replace(&mut self.rest, Box::new(io::empty()));
        let taken = Arc::new(AtomicU64::new(0));
        let packed = BufReader::new(Counted { input: begin.chain(rest), taken: taken.clone() });
        Some(encoding.decoder(packed).and_then(|decoder| {
            let rest: Box<dyn Read + 'r> = Box::new(Bounded { input: decoder, given: 0, taken });
            let mut stream = Stream { begin: Vec::new(), rest, packed: true };
            stream.look()?;
            Ok(stream)
        }))
    }

    /// All of it from the beginning.
    pub fn whole(self) -> impl Read + 'r {
        Cursor::new(self.begin).chain(self.rest)
    }
}

/// A form of compression, or of characters.
#[derive(Clone, Copy)]
enum Encoding {
    Gzip,
    Xz,
    Bzip2,
    Zstd,
    Utf16(Order),
}

impl Encoding {
    fn of(begin: &[u8]) -> Option<Self> {
        Some(match begin {
            [0x1f, 0x8b, 8, ..] => Encoding::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Encoding::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Encoding::Bzip2,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Encoding::Zstd,
            _ => Encoding::Utf16(Order::of(begin)?),
        })
    }

    fn decoder<'r>(self, packed: impl io::BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Encoding::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
            }
            Encoding::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            Encoding::Utf16(order) => Box::new(Utf8::new(packed, order)),
        })
    }
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends with an error when far more comes out than went in.
pub struct Bounded<'r> {
    input: Box<dyn Read + 'r>,
    given: u64,
    taken: Arc<AtomicU64>,
}

impl<'r> Bounded<'r> {
    /// For the output of this number of bytes.
    pub fn new(input: impl Read + 'r, packed: u64) -> Self {
        Bounded { input: Box::new(input), given: 0, taken: Arc::new(AtomicU64::new(packed)) }
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.given += read as u64;
        let most = self.taken.load(Ordering::Relaxed).saturating_mul(MAX_TIMES).max(HARMLESS);
        if self.given > most {
            return Err(io::Error::other(format!(
                "unpacks to more than {MAX_TIMES} times its size; the rest is not read"
            )));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_to_fill_a_disk_is_not_read_to_its_end() {
        let bounded = |given, taken| Bounded {
            input: Box::new(io::repeat(0)),
            given,
            taken: Arc::new(AtomicU64::new(taken)),
        };
        let mut buffer = [0; 16];
        assert!(bounded(HARMLESS, 1_000).read(&mut buffer).is_err());
        assert!(bounded(HARMLESS, HARMLESS / 100).read(&mut buffer).is_ok());
        assert!(bounded(1_000_000, 1).read(&mut buffer).is_ok());
    }
}
