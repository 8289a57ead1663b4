//! Conditional parts of a file. Which options a kernel was configured with is unknown, so that both branches of a condition count, except
//! those that no distribution builds.

/// The conditions that a place in a file is in.
#[derive(Debug, Default)]
pub struct Conditions {
    /// For each open condition: the branch is dead, and the next one is.
    branches: Vec<(bool, bool)>,
}

impl Conditions {
    /// Takes note of a directive; `false`: it is none of a condition.
    pub fn note(&mut self, directive: &str) -> bool {
        let text = directive.trim_start_matches('#').trim_start();
        let (word, condition) = text.split_once(|c: char| !c.is_ascii_alphabetic()).unwrap_or((text, ""));
        match word {
            "if" | "ifdef" => {
                let is_dead = is_never(condition);
                self.branches.push((is_dead, !is_dead && is_always(condition)));
            }
            "ifndef" => {
                let is_dead = is_always(condition);
                self.branches.push((is_dead, !is_dead && is_never(condition)));
            }
            "elif" | "else" => {
                if let Some((is_dead, next)) = self.branches.last_mut() {
                    *is_dead = *next;
                }
            }
            "endif" => {
                self.branches.pop();
            }
            _ => return false,
        }
        true
    }

    /// What stands here is not compiled.
    pub fn is_dead(&self) -> bool {
        self.branches.iter().any(|(is_dead, _)| *is_dead)
    }
}

/// No kernel of a distribution has this: dead code, and options for debugging.
fn is_never(condition: &str) -> bool {
    let condition = condition.split("/*").next().unwrap_or_default().trim();
    let one_word = condition.replace("defined", "").replace("IS_ENABLED", "");
    let one_word = one_word.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let is_word = !one_word.is_empty() && one_word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    condition == "0" || is_word && one_word.contains("DEBUG") && !one_word.contains("DEBUG_FS")
}

/// Every kernel of a distribution has this.
fn is_always(condition: &str) -> bool {
    let condition = condition.split("/*").next().unwrap_or_default().trim();
    matches!(condition, "1" | "CONFIG_PRINTK" | "__KERNEL__" | "defined(CONFIG_PRINTK)")
}
