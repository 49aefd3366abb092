//! What a person reads: numbers, durations and aligned tables.

use std::time::Duration;

/// `12345` as `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `0.4 s`, `12.3 s` or `2 min 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

/// Rows with their columns aligned: the first to the left, the others, which are figures, to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            let aligned =
                if line.len() == 1 { format!(" {cell:<width$}") } else { format!("  {cell:>width$}") };
            line.push_str(&aligned);
        }
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_from_the_right() {
        assert_eq!(
            [0, 7, 999, 1_000, 57_344, 1_234_567].map(thousands),
            ["0", "7", "999", "1,000", "57,344", "1,234,567"]
        );
    }

    #[test]
    fn long_durations_are_told_in_minutes() {
        assert_eq!(duration(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_table_aligns_names_left_and_figures_right() {
        let rows = [vec!["a".to_owned(), "1,000".to_owned()], vec!["glue.js".to_owned(), "5".to_owned()]];
        assert_eq!(table(&rows), "  a        1,000\n  glue.js      5\n");
    }
}
