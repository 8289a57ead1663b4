//! A table: a heading, and columns as wide as their longest cell.

use std::io::{self, Write};

use peripety_api::sanitize::visible;

use super::text::{styled, BOLD};
use super::Style;

/// Writes the heading and one line a row.
pub fn write<W: Write, const N: usize>(
    out: &mut W,
    header: [&str; N],
    rows: &[[String; N]],
    style: &Style,
) -> io::Result<()> {
    let header = header.map(str::to_owned);
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.clone().map(|cell| visible(&cell).into_owned())).collect();
    let widths = widths(&header, &rows);
    writeln!(out, "{}", styled(&line(&header, &widths), BOLD, style.color))?;
    rows.iter().try_for_each(|row| writeln!(out, "{}", line(row, &widths)))
}

/// The value, or the mark of a cell without one.
pub fn or_dash(value: Option<&str>) -> String {
    value.unwrap_or("-").to_owned()
}

fn widths<const N: usize>(header: &[String; N], rows: &[[String; N]]) -> [usize; N] {
    let mut widths = [0; N];
    for row in std::iter::once(header).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// Cells two blanks apart, without blanks at the end of the line.
fn line<const N: usize>(row: &[String; N], widths: &[usize; N]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}
