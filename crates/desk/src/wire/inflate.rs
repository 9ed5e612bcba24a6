//! Unpacks a gzip body as it arrives, and stops at its limits: a bomb is noticed before it is in memory.

use flate2::write::MultiGzDecoder;
use std::io::{self, Write};

/// Output that is free of the ratio: small things compress well.
const FREE: usize = 4 * 1024;

/// How much may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes in all.
    pub most: usize,
    /// Bytes for each byte that came in, beyond the first 4 KB; none = any.
    pub ratio: Option<usize>,
}

/// Why a body is not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// More than its bounds.
    TooLarge,
    /// Not gzip, or cut off.
    Broken,
}

/// A body being read, packed or not.
pub enum Body {
    /// As it came.
    Plain(Kept),
    /// Being unpacked.
    Gzip(Box<MultiGzDecoder<Kept>>),
}

/// What came out so far.
pub struct Kept {
    bounds: Bounds,
    came_in: usize,
    bytes: Vec<u8>,
    full: bool,
}

impl Body {
    /// A body with this `Content-Encoding`; anything but gzip is kept as it came.
    pub fn of(encoding: Option<&str>, bounds: Bounds) -> Self {
        let kept = Kept { bounds, came_in: 0, bytes: Vec::new(), full: false };
        match encoding {
            Some(name) if is_gzip(name) => Self::Gzip(Box::new(MultiGzDecoder::new(kept))),
            _ => Self::Plain(kept),
        }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        self.kept().came_in = self.kept().came_in.saturating_add(chunk.len());
        let taken = match self {
            Self::Plain(kept) => kept.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        };
        taken.map_err(|_| self.why())
    }

    /// The whole body.
    pub fn end(mut self) -> Result<Vec<u8>, Stop> {
        if self.kept().came_in == 0 {
            return Ok(Vec::new());
        }
        if let Self::Gzip(decoder) = &mut self
            && decoder.try_finish().is_err()
        {
            return Err(self.why());
        }
        Ok(std::mem::take(&mut self.kept().bytes))
    }

    fn kept(&mut self) -> &mut Kept {
        match self {
            Self::Plain(kept) => kept,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn why(&mut self) -> Stop {
        if self.kept().full { Stop::TooLarge } else { Stop::Broken }
    }
}

/// Whether a `Content-Encoding` is one we unpack.
pub fn is_gzip(name: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
}

impl Write for Kept {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let size = self.bytes.len().saturating_add(part.len());
        let by_ratio = self.bounds.ratio.map_or(usize::MAX, |ratio| self.came_in.saturating_mul(ratio).max(FREE));
        if size > self.bounds.most.min(by_ratio) {
            self.full = true;
            self.bytes = Vec::new();
            return Err(io::Error::other("more than its bounds"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    const ANY: Bounds = Bounds { most: 1024 * 1024, ratio: None };
    const TIGHT: Bounds = Bounds { most: 64 * 1024, ratio: Some(100) };

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads in pieces of seven bytes.
    fn read(encoding: Option<&str>, bounds: Bounds, bytes: &[u8]) -> Result<Vec<u8>, Stop> {
        let mut body = Body::of(encoding, bounds);
        for piece in bytes.chunks(7) {
            body.take(piece)?;
        }
        body.end()
    }

    #[test]
    fn bodies_come_out_as_they_went_in() {
        let text = b"It is better to be roughly right than precisely wrong.".repeat(20);
        for name in ["gzip", " GZIP ", "x-gzip"] {
            assert_eq!(read(Some(name), TIGHT, &packed(&text)).as_ref(), Ok(&text), "{name}");
        }
        assert_eq!(read(None, TIGHT, &text).as_ref(), Ok(&text));
        assert_eq!(read(Some("br"), TIGHT, b"as it came").unwrap(), b"as it came");
        let twice = [packed(b"one, "), packed(b"two")].concat();
        assert_eq!(read(Some("gzip"), TIGHT, &twice).unwrap(), b"one, two", "two members");
        assert_eq!(read(Some("gzip"), TIGHT, b"").unwrap(), b"", "an answer without a body");
    }

    #[test]
    fn bombs_are_noticed_by_size_and_by_ratio() {
        let zeros = packed(&vec![0; 10 * 1024 * 1024]);
        assert_eq!(read(Some("gzip"), ANY, &zeros), Err(Stop::TooLarge));
        let mut body = Body::of(Some("gzip"), TIGHT);
        let stopped = zeros.chunks(7).position(|piece| body.take(piece) == Err(Stop::TooLarge));
        assert!(stopped.is_some_and(|n| n < 40), "it was read on to piece {stopped:?} of {}", zeros.len() / 7);
        let small = packed(&vec![0; 40 * 1024]);
        assert!(small.len() < 400);
        assert_eq!(read(Some("gzip"), TIGHT, &small), Err(Stop::TooLarge), "by ratio alone");
        assert_eq!(read(Some("gzip"), ANY, &small).map(|b| b.len()), Ok(40 * 1024), "no ratio is asked of goods");
        assert_eq!(read(None, TIGHT, &vec![b'x'; 64 * 1024 + 1]), Err(Stop::TooLarge));
        assert_eq!(read(None, TIGHT, &vec![b'x'; 64 * 1024]).map(|b| b.len()), Ok(64 * 1024));
    }

    #[test]
    fn what_is_cut_off_or_no_gzip_is_broken() {
        let whole = packed(&(0..200_u8).collect::<Vec<_>>());
        assert_eq!(read(Some("gzip"), ANY, &whole[..whole.len() - 9]), Err(Stop::Broken));
        assert_eq!(read(Some("gzip"), ANY, b"no gzip at all, in no way"), Err(Stop::Broken));
    }
}
