//! What a benchmark prints: figures over blocks, the aim beside them.

/// What a figure is to be.
#[derive(Clone, Copy)]
pub enum Aim {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// There is none; the figure is there to compare with.
    None,
}

impl Aim {
    fn text(self, figure: f64) -> String {
        let (sign, aim, met) = match self {
            Self::AtMost(aim) => ("≤", aim, figure <= aim),
            Self::AtLeast(aim) => ("≥", aim, figure >= aim),
            Self::None => return String::new(),
        };
        format!("aim {sign} {aim}: {}", if met { "met" } else { "MISSED" })
    }
}

/// A part of the benchmark begins.
pub fn part(title: &str) {
    println!("\n{title}\n{:<46}{:>10}{:>10}{:>10}", "", "min", "median", "max");
}

/// A figure of each block: its smallest, median and largest value. The median is held against the aim.
pub fn figure(name: &str, blocks: &[f64], aim: Aim) {
    let mut sorted = blocks.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else { return };
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
    println!("  {name:<44}{min:>10.2}{median:>10.2}{max:>10.2}   {}", aim.text(median));
}

/// One figure that was measured once.
pub fn single(name: &str, figure: f64, aim: Aim) {
    println!("  {name:<44}{:>10}{figure:>10.2}{:>10}   {}", "", "", aim.text(figure));
}
