//! Rule sets of any size.

use std::sync::Arc;

use anyhow::Context;
use peripety::rules::rule::Origin;
use peripety::rules::{builtin, Rule};
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};
use regex_syntax::ParserBuilder;
use toml::Spanned;

/// So many rules: some of the built-in ones, evenly chosen, or all and variations of them that
/// look for other words.
pub fn rules(count: usize) -> anyhow::Result<Vec<Arc<Rule>>> {
    let base = builtin::rules()?;
    if count <= base.len() {
        let chosen = (0..count).filter_map(|i| base.get(i * base.len() / count).cloned());
        return Ok(chosen.collect());
    }
    let mut all = base.clone();
    let variations = (1u8..26).flat_map(|shift| base.iter().map(move |rule| (rule, shift)));
    for (rule, shift) in variations.take(count - base.len()) {
        all.push(Arc::new(vary(rule, shift)?));
    }
    Ok(all)
}

/// The rule with the letters of its longest literal moved `shift` places on in the alphabet.
fn vary(rule: &Rule, shift: u8) -> anyhow::Result<Rule> {
    let pattern = rule.regex_text();
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    let hir = hir.with_context(|| format!("{}:{}", rule.origin.file, rule.origin.line))?;
    let longest = longest_literal(&hir);
    let mut spec = rule.spec().into_owned();
    spec.regex = Spanned::new(0..0, shifted(hir, &longest, shift).to_string());
    spec.starts_with = None;
    let origin =
        Origin { file: format!("{} +{shift}", rule.origin.file).into(), line: rule.origin.line, user: false };
    Ok(Rule::compile(spec, origin, "")?)
}

fn longest_literal(hir: &Hir) -> Vec<u8> {
    let of_parts = |parts: &[Hir]| parts.iter().map(longest_literal).max_by_key(Vec::len).unwrap_or_default();
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.to_vec(),
        HirKind::Capture(capture) => longest_literal(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => of_parts(parts),
        _ => Vec::new(),
    }
}

fn shifted(hir: Hir, literal: &[u8], shift: u8) -> Hir {
    let each = |parts: Vec<Hir>| parts.into_iter().map(|part| shifted(part, literal, shift)).collect();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Literal(l) if *l.0 == *literal => {
            Hir::literal(l.0.iter().map(|byte| shifted_letter(*byte, shift)).collect::<Vec<u8>>())
        }
        HirKind::Literal(l) => Hir::literal(l.0),
        HirKind::Repetition(r) => {
            Hir::repetition(Repetition { sub: Box::new(shifted(*r.sub, literal, shift)), ..r })
        }
        HirKind::Capture(c) => Hir::capture(Capture { sub: Box::new(shifted(*c.sub, literal, shift)), ..c }),
        HirKind::Concat(parts) => Hir::concat(each(parts)),
        HirKind::Alternation(parts) => Hir::alternation(each(parts)),
    }
}

fn shifted_letter(byte: u8, shift: u8) -> u8 {
    match byte {
        b'a'..=b'z' => b'a' + (byte - b'a' + shift) % 26,
        b'A'..=b'Z' => b'A' + (byte - b'A' + shift) % 26,
        _ => byte,
    }
}
