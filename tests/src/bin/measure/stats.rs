//! Many figures in a few.

use std::time::Duration;

/// Figures, from the smallest to the largest.
pub(super) struct Sorted(Vec<f64>);

impl FromIterator<f64> for Sorted {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }
}

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn median(&self) -> f64 {
        self.percentile(0.5)
    }

    pub(super) fn largest(&self) -> f64 {
        self.percentile(1.0)
    }

    /// The figure that a share of the others, from 0 to 1, is not above; 0 if there is none.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let at = (self.0.len() as f64 * share) as usize;
        self.0.get(at).or(self.0.last()).copied().unwrap_or_default()
    }
}

/// A time in milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
