//! The corners of a rising staircase, as few as its pixels can show.

/// A rising staircase through points in order of `x`. Of the points that share a column of `columns` over the axis,
/// the first and the last are kept: a rising curve has nothing more to show there.
pub(super) fn stairs(
    points: impl IntoIterator<Item = (f64, f64)>,
    place: impl Fn(f64) -> f64,
    columns: f64,
) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut column = None;
    for (x, y) in points {
        let here = (place(x) * columns).floor();
        if column == Some(here) {
            let rest = corners.len();
            if rest >= 2 && corners[rest - 2].0.to_bits() == corners[rest - 1].0.to_bits() {
                corners.pop();
            }
            let x = corners.last().map_or(x, |corner| corner.0);
            corners.push((x, y));
            continue;
        }
        if let Some(&(_, level)) = corners.last() {
            corners.push((x, level));
        }
        corners.push((x, y));
        column = Some(here);
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_goes_across_and_then_up() {
        let corners = stairs([(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)], |x| x, 10.0);
        assert_eq!(corners, [(0.0, 1.0), (0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (1.0, 4.0)]);
    }

    #[test]
    fn a_million_points_become_a_few_for_each_column() {
        let points = (0..1_000_000).map(|i| (f64::from(i) / 1e6, f64::from(i)));
        let corners = stairs(points, |x| x, 800.0);
        assert!(corners.len() <= 3 * 800, "{}", corners.len());
        assert_eq!(corners.last().map(|corner| corner.1.to_bits()), Some(999_999_f64.to_bits()));
        assert!(corners.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
    }
}
