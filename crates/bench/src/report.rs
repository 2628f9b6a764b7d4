//! Figures, their targets, and how both are printed and kept.

use anyhow::Context;
use serde_json::{Value, json};

use crate::package;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shown for comparison only.
    None,
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
            Self::None => String::new(),
        }
    }

    fn is_met(self, figure: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(figure >= least),
            Self::AtMost(most) => Some(figure <= most),
            Self::None => None,
        }
    }
}

/// The figures of one part of the benchmark.
pub(crate) struct Report {
    name: &'static str,
    figures: Vec<Value>,
}

impl Report {
    pub(crate) fn new(name: &'static str, title: &str) -> Self {
        println!("\n{title}");
        Self { name, figures: Vec::new() }
    }

    /// Prints and keeps one figure.
    pub(crate) fn figure(&mut self, what: &str, figure: f64, unit: &str, target: Target) {
        let verdict = match target.is_met(figure) {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        println!("  {what:<58} {:>10} {unit:<11} {:<9} {verdict}", rounded(figure), target.text());
        self.figures
            .push(json!({ "what": what, "figure": figure, "unit": unit, "target": target.text(), "verdict": verdict }));
    }

    /// Writes `target/bench/NAME.json`.
    pub(crate) fn write(self) -> anyhow::Result<()> {
        let path = package::folder()?.join(self.name).with_extension("json");
        let text = serde_json::to_string_pretty(&json!({ "part": self.name, "figures": self.figures }))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Three significant digits.
fn rounded(figure: f64) -> String {
    if figure == 0.0 {
        return "0".to_owned();
    }
    let digits = (2 - figure.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{figure:.digits$}")
}

/// The middle one; of an even number, the upper of the two.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
