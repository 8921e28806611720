//! Intervals of one row.

/// A run of integers, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: i32,
    pub(crate) high: i32,
}

impl Span {
    /// The run from `low` to `high`, or `None` where it would be empty.
    #[inline]
    pub(crate) fn new(low: i64, high: i64) -> Option<Self> {
        let low = low.max(i64::from(i32::MIN));
        let high = high.min(i64::from(i32::MAX));
        (low <= high).then_some(Self {
            low: low as i32,
            high: high as i32,
        })
    }

    /// The run that reaches `half` to either side of `centre`, clipped to the range of `i32`.
    #[inline]
    pub(crate) fn around(centre: i32, half: u32) -> Self {
        Self {
            low: centre.saturating_sub_unsigned(half),
            high: centre.saturating_add_unsigned(half),
        }
    }

    /// How many integers the run has: up to 2³².
    #[inline]
    pub(crate) fn count(self) -> u64 {
        u64::from(self.high.abs_diff(self.low)) + 1
    }

    /// Does something with each integer of the run, lowest first.
    ///
    /// Most runs a walk meets are one integer long. This costs them one comparison, where a range and
    /// an iterator over it cost several.
    #[inline]
    pub(crate) fn each(self, mut act: impl FnMut(i32)) {
        let mut x = self.low;
        loop {
            act(x);
            if x == self.high {
                return;
            }
            x += 1;
        }
    }

    /// The lowest `count` integers of the run, or all of it where it has no more.
    ///
    /// `count` is at least 1.
    #[inline]
    pub(crate) fn first(self, count: u64) -> Self {
        let high = match u32::try_from(count - 1) {
            Ok(more) => self.low.saturating_add_unsigned(more).min(self.high),
            Err(_) => self.high,
        };
        Self { high, ..self }
    }

    /// What two runs share.
    #[inline]
    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        let low = self.low.max(other.low);
        let high = self.high.min(other.high);
        (low <= high).then_some(Self { low, high })
    }

    /// What is left of the run without `other`: a part below it and a part above it.
    #[inline]
    pub(crate) fn minus(self, other: Option<Self>) -> [Option<Self>; 2] {
        let Some(other) = other else {
            return [Some(self), None];
        };
        let below = (self.low < other.low).then(|| Self {
            low: self.low,
            high: self.high.min(other.low - 1),
        });
        let above = (self.high > other.high).then(|| Self {
            low: self.low.max(other.high + 1),
            high: self.high,
        });
        [below, above]
    }
}

/// Roots below this are read from a table: the squared reach of 127 chunks.
const TABLED: usize = 128 * 128;

/// Whole square roots. Rows ask for several each, and the table answers in a few cycles where a root
/// takes a few dozen.
static ROOTS: [u8; TABLED] = {
    let mut roots = [0; TABLED];
    let mut root = 0;
    let mut square = 0;
    while square < TABLED {
        if (root + 1) * (root + 1) <= square {
            root += 1;
        }
        roots[square] = root as u8;
        square += 1;
    }
    roots
};

/// The largest whole number whose square is at most `square`.
#[inline]
pub(crate) fn reach(square: u64) -> u32 {
    match ROOTS.get(square as usize) {
        Some(&root) if square < TABLED as u64 => u32::from(root),
        // The root of a 64-bit number has 32 bits.
        _ => square.isqrt() as u32,
    }
}
