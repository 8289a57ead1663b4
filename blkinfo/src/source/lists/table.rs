//! Tables for people: a head, and under each of its words a column. Values stand at the left or at the right of it.

/// The head of a table.
#[derive(Debug)]
pub struct Table {
    /// Name, and the places of its first character and behind its last.
    columns: Vec<(String, usize, usize)>,
}

/// A row: the names of columns and their values.
pub type Row = Vec<(String, String)>;

impl Table {
    /// Of a line with the names of columns.
    pub fn new(head: &str) -> Self {
        let columns = words(head).map(|(begin, word)| (word.clone(), begin, begin + word.chars().count()));
        Table { columns: columns.collect() }
    }

    /// The table has a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(known, ..)| known == name)
    }

    /// The values of a line, by columns; empty ones are omitted.
    pub fn row(&self, line: &str) -> Row {
        let mut row: Row = Vec::new();
        for (begin, word) in words(line) {
            let end = begin + word.chars().count();
            let under = self.columns.iter().find(|(_, from, to)| begin < *to && *from < end);
            // Further words of a value that is longer than its head.
            let column = under.or_else(|| self.columns.iter().rev().find(|(_, from, _)| *from <= begin));
            let Some((name, ..)) = column else { continue };
            match row.iter_mut().find(|(known, _)| known == name) {
                Some((_, value)) => {
                    value.push(' ');
                    value.push_str(&word);
                }
                None => row.push((name.clone(), word)),
            }
        }
        row
    }
}

/// The value of a column.
pub fn value<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    row.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The words of a line with their places, in characters.
fn words(line: &str) -> impl Iterator<Item = (usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (at, c) in line.chars().enumerate() {
        if c.is_whitespace() {
            inside = false;
        } else if let Some((_, word)) = all.last_mut().filter(|_| inside) {
            word.push(c);
        } else {
            all.push((at, c.to_string()));
            inside = true;
        }
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_their_heads() {
        let table = Table::new("NAME   MAJ:MIN  SIZE MODEL    MOUNTPOINT");
        let row = table.row("sda      8:0   20.5G Disk 9 x ");
        let all: Vec<(&str, &str)> =
            row.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(all, [("NAME", "sda"), ("MAJ:MIN", "8:0"), ("SIZE", "20.5G"), ("MODEL", "Disk 9 x")]);
        let row = table.row("└─sda1   8:1   20.5G          /boot");
        assert_eq!((value(&row, "MODEL"), value(&row, "MOUNTPOINT")), (None, Some("/boot")));
    }
}
