//! Whether some line is both one that a format of the kernel can print and one that a regex matches: a search through the
//! product of the two automata. It finds such a line, or there is none.

use std::collections::HashMap;
use std::rc::Rc;

use peripety::rules::names::format::{NameSource, PrintkFormat, PrintkPart};
use regex_automata::nfa::thompson::{Compiler, Config, State, WhichCaptures, NFA};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

/// A state of the regexes' automaton between two bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    state: StateID,
    /// The byte before belongs to a word.
    word: bool,
    needs: Needs,
}

/// What an assertion asks of what follows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Needs {
    Nothing,
    Word,
    NoWord,
    End,
}

/// Bytes that may come next.
enum Next {
    This(u8),
    /// Those that belong to words, and the others; printable ones first.
    OneOf([Vec<u8>; 2]),
}

impl Next {
    fn one_of(has: impl Fn(u8) -> bool) -> Self {
        let bytes = |word: bool| {
            let mut bytes: Vec<u8> =
                (0..=u8::MAX).filter(|byte| has(*byte) && is_word(*byte) == word).collect();
            bytes.sort_by_key(|byte| !byte.is_ascii_graphic());
            bytes
        };
        Next::OneOf([bytes(true), bytes(false)])
    }

    /// A byte of a range, which belongs to a word or does not.
    fn within(&self, low: u8, high: u8, word: bool) -> Option<u8> {
        match self {
            Next::This(byte) => (low <= *byte && *byte <= high && is_word(*byte) == word).then_some(*byte),
            Next::OneOf([words, others]) => {
                let bytes = if word { words } else { others };
                bytes.iter().copied().find(|byte| low <= *byte && *byte <= high)
            }
        }
    }
}

/// How a node was first reached: the step before, and the byte. Step 0 is the beginning.
type Step = u32;
type Nodes = Rc<HashMap<Node, Step>>;

/// Whose name, what stands before it and right behind it, and the beginning of what follows.
type Beginning = (usize, &'static str, &'static str, Vec<u8>);

/// A line that a format can print and that a regex matches.
pub struct Common {
    /// The number of the regex.
    pub pattern: usize,
    pub line: Vec<u8>,
}

/// Many regexes as one automaton, and what of it is reached behind names.
pub struct Product {
    nfa: NFA,
    steps: Vec<(Step, u8)>,
    reached: HashMap<Beginning, Nodes>,
}

/// Bytes at the beginning of what follows a name that many formats share.
const SHARED: usize = 3;

impl Product {
    /// Of regexes without Unicode, anchored at the start.
    pub fn new(patterns: &[&str]) -> Self {
        let parse = |pattern: &&str| {
            regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).unwrap()
        };
        let hirs: Vec<_> = patterns.iter().map(parse).collect();
        let config = Config::new().utf8(false).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_many_from_hir(&hirs).unwrap();
        Product { nfa, steps: vec![(0, 0)], reached: HashMap::new() }
    }

    /// For each regex that matches a line of the format, one such line.
    pub fn common(&mut self, format: &PrintkFormat) -> Vec<Common> {
        let mut found = HashMap::new();
        for suffix in format.source.suffixes() {
            let mut parts = format.parts();
            let mut shared = Vec::new();
            if let Some(PrintkPart::Text(text)) = parts.first_mut() {
                shared = text.drain(..text.len().min(SHARED)).collect();
            }
            let mut nodes = self.behind_name(format.source, format.split().0, suffix, shared);
            let kept = self.steps.len();
            for part in &parts {
                nodes = match part {
                    PrintkPart::Text(text) => self.text(nodes, text),
                    PrintkPart::Any(class) => self.any(&nodes, |byte| class.has(byte), usize::MAX),
                };
            }
            for (node, step) in nodes.iter() {
                if let State::Match { pattern_id } = self.nfa.state(node.state) {
                    if node.needs != Needs::Word {
                        found.entry(pattern_id.as_usize()).or_insert_with(|| self.line(*step));
                    }
                }
            }
            self.steps.truncate(kept);
        }
        found.into_iter().map(|(pattern, line)| Common { pattern, line }).collect()
    }

    fn behind_name(
        &mut self,
        source: NameSource,
        before: &'static str,
        suffix: &'static str,
        shared: Vec<u8>,
    ) -> Nodes {
        let key = (source as usize, before, suffix, shared);
        if let Some(nodes) = self.reached.get(&key) {
            return nodes.clone();
        }
        let nodes = match key.3.is_empty() {
            true if suffix.is_empty() => self.name(source, before),
            true => {
                let nodes = self.behind_name(source, before, "", Vec::new());
                self.text(nodes, suffix.as_bytes())
            }
            false => {
                let (last, first) = key.3.split_last().unwrap();
                let nodes = self.behind_name(source, before, suffix, first.to_vec());
                self.text(nodes, &[*last])
            }
        };
        self.reached.insert(key, nodes.clone());
        nodes
    }

    fn name(&mut self, source: NameSource, before: &str) -> Nodes {
        let mut start = HashMap::new();
        let begin = self.nfa.start_anchored();
        self.close(Node { state: begin, word: false, needs: Needs::Nothing }, 0, true, &mut start);
        let start = self.text(Rc::new(start), before.as_bytes());
        // A long name may as well be of any length.
        let longest = if source.longest() > 15 { usize::MAX } else { source.longest() };
        self.any(&start, |byte| source.allows(byte), longest)
    }

    fn text(&mut self, mut nodes: Nodes, text: &[u8]) -> Nodes {
        for byte in text {
            let mut next = HashMap::new();
            for (node, step) in nodes.iter() {
                self.step(*node, *step, &Next::This(*byte), &mut next);
            }
            nodes = Rc::new(next);
        }
        nodes
    }

    /// Any number of bytes, up to a limit.
    fn any(&mut self, nodes: &Nodes, has: impl Fn(u8) -> bool, longest: usize) -> Nodes {
        let bytes = Next::one_of(has);
        let mut all: HashMap<Node, Step> = (**nodes).clone();
        let mut new: Vec<(Node, Step)> = all.iter().map(|(node, step)| (*node, *step)).collect();
        for _ in 0..longest {
            let mut next = HashMap::new();
            for (node, step) in new {
                self.step(node, step, &bytes, &mut next);
            }
            new = next.into_iter().filter(|(node, _)| !all.contains_key(node)).collect();
            if new.is_empty() {
                break;
            }
            all.extend(new.iter().copied());
        }
        Rc::new(all)
    }

    /// Where a node leads with a byte: at most one that belongs to a word, and one that does not, from each transition.
    fn step(&mut self, node: Node, step: Step, bytes: &Next, into: &mut HashMap<Node, Step>) {
        let mut leads: Vec<(u8, StateID)> = Vec::new();
        let mut lead = |low: u8, high: u8, next: StateID| {
            for word in [true, false] {
                let fits = !matches!(
                    (node.needs, word),
                    (Needs::Word, false) | (Needs::NoWord, true) | (Needs::End, _)
                );
                let byte = if fits { bytes.within(low, high, word) } else { None };
                leads.extend(byte.map(|byte| (byte, next)));
            }
        };
        match self.nfa.state(node.state) {
            State::ByteRange { trans } => lead(trans.start, trans.end, trans.next),
            State::Sparse(sparse) => sparse.transitions.iter().for_each(|t| lead(t.start, t.end, t.next)),
            State::Dense(dense) => {
                (0..=u8::MAX).for_each(|byte| lead(byte, byte, dense.transitions[usize::from(byte)]))
            }
            _ => {}
        }
        for (byte, state) in leads {
            let next = Node { state, word: is_word(byte), needs: Needs::Nothing };
            let number = Step::try_from(self.steps.len()).unwrap();
            self.steps.push((step, byte));
            self.close(next, number, false, into);
        }
    }

    /// The node, and all that are reached from it without a byte; only those count that read one, or match.
    fn close(&self, node: Node, step: Step, at_start: bool, into: &mut HashMap<Node, Step>) {
        let mut open = vec![node];
        let mut seen = Vec::new();
        while let Some(node) = open.pop() {
            let at = |state: StateID| Node { state, ..node };
            match self.nfa.state(node.state) {
                State::Union { alternates } => {
                    if !seen.contains(&node) {
                        seen.push(node);
                        open.extend(alternates.iter().map(|state| at(*state)));
                    }
                }
                State::BinaryUnion { alt1, alt2 } => {
                    if !seen.contains(&node) {
                        seen.push(node);
                        open.extend([at(*alt1), at(*alt2)]);
                    }
                }
                State::Capture { next, .. } => open.push(at(*next)),
                State::Look { look, next } => {
                    open.extend(look_ahead(*look, node, at_start).map(|needs| Node {
                        state: *next,
                        needs,
                        ..node
                    }))
                }
                State::Fail => {}
                _ => {
                    into.entry(node).or_insert(step);
                }
            }
        }
    }

    fn line(&self, mut step: Step) -> Vec<u8> {
        let mut line = Vec::new();
        while step != 0 {
            let (before, byte) = self.steps[step as usize];
            line.push(byte);
            step = before;
        }
        line.reverse();
        line
    }
}

/// What an assertion asks of the next byte; `None`: it fails here.
fn look_ahead(look: Look, node: Node, at_start: bool) -> Option<Needs> {
    let needs = match look {
        Look::Start => return at_start.then_some(node.needs),
        Look::End => Needs::End,
        Look::WordAscii if node.word => Needs::NoWord,
        Look::WordAscii => Needs::Word,
        Look::WordAsciiNegate if node.word => Needs::Word,
        Look::WordAsciiNegate => Needs::NoWord,
        // Taken as fulfilled: more lines match than in truth, and what is proven of them holds.
        _ => return Some(node.needs),
    };
    match (node.needs, needs) {
        (Needs::Nothing, needs) => Some(needs),
        (before, needs) if before == needs => Some(needs),
        (Needs::End, Needs::NoWord) | (Needs::NoWord, Needs::End) => Some(Needs::End),
        _ => None,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
