//! Where rules come from: the daemon, or the built-in ones of this program.

use peripety_api::{Client, ListRulesParameters, Rule, RuleMatch, RuleMiss};
use peripety_rules::{builtin, shown, RuleSet};

use crate::connection::{connect, Address};
use crate::error::Error;

/// Rules to be shown and tried.
pub enum Rulebook {
    /// Those in force in a daemon.
    Daemon(Client),
    /// The built-in ones.
    BuiltIn(RuleSet),
}

impl Rulebook {
    /// Those of the daemon; with `local`, or where none answers at the usual place, the built-in ones, which is reported.
    ///
    /// # Errors
    /// Somebody named an address at which no daemon answers, or this user may not use the socket.
    pub fn of(address: &Address, local: bool) -> Result<Self, Error> {
        if local {
            return Rulebook::built_in();
        }
        match connect(address) {
            Ok(client) => Ok(Rulebook::Daemon(client)),
            Err(Error::Unreachable { .. }) if *address == Address::default() => {
                eprintln!("prpt: peripetyd does not answer; these are the built-in rules.");
                Rulebook::built_in()
            }
            Err(e) => Err(e),
        }
    }

    fn built_in() -> Result<Self, Error> {
        let rules = builtin::rules().map_err(|e| Error::Local(e.to_string()))?;
        Ok(Rulebook::BuiltIn(RuleSet::new(rules)))
    }

    /// The rules with these event types, sub-systems and identifiers; `None` selects all.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub fn list(
        &self,
        event_types: Option<Vec<String>>,
        sub_systems: Option<Vec<String>>,
        identifiers: Option<Vec<String>>,
    ) -> Result<Vec<Rule>, Error> {
        match self {
            Rulebook::Daemon(client) => {
                Ok(client.list_rules(event_types, sub_systems, identifiers).call()?.rules)
            }
            Rulebook::BuiltIn(rules) => {
                let wanted = ListRulesParameters { event_types, sub_systems, identifiers };
                Ok(shown::list(rules, &wanted).into_iter().map(|rule| rule.as_ref().into()).collect())
            }
        }
    }

    /// The rule that matches a line, and those that nearly match.
    ///
    /// # Errors
    /// The daemon does not answer, or the line is too long for it.
    pub fn test(&self, line: &str, identifier: &str) -> Result<(Option<RuleMatch>, Vec<RuleMiss>), Error> {
        match self {
            Rulebook::Daemon(client) => {
                let reply = client.test_rule(line.to_owned(), Some(identifier.to_owned())).call()?;
                Ok((reply.matched, reply.misses))
            }
            Rulebook::BuiltIn(rules) => Ok(shown::test(rules, line, Some(identifier))),
        }
    }
}
