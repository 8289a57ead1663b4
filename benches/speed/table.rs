//! Plain tables.

/// Prints rows in aligned columns: the first to the left, the others to the right.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}\n");
    let heading: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let ruler: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&heading).chain(rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in [&heading, &ruler].into_iter().chain(rows) {
        let mut line = String::from("|");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let filled = match (cell.as_str(), column) {
                ("---", 0) => "-".repeat(*width),
                ("---", _) => format!("{}:", "-".repeat(width.saturating_sub(1))),
                (text, 0) => format!("{text:<width$}"),
                (text, _) => format!("{text:>width$}"),
            };
            line.push_str(&format!(" {filled} |"));
        }
        println!("{line}");
    }
}

/// A number with separators: "1,234,567".
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio: "3.4×".
pub fn ratio(of: f64, to: f64) -> String {
    if to > 0.0 {
        format!("{:.2}×", of / to)
    } else {
        "-".to_owned()
    }
}
