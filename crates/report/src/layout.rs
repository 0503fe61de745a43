//! Where labels go so that nothing overlaps.

use crate::canvas::Spot;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn within(&self, outer: &Self) -> bool {
        self.left >= outer.left
            && self.right <= outer.right
            && self.top >= outer.top
            && self.bottom <= outer.bottom
    }

    /// Whether a straight line from `a` to `b` touches the rectangle.
    fn touches(&self, a: Spot, b: Spot) -> bool {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave): (f64, f64) = (0.0, 1.0);
        // Liang and Barsky: each edge cuts off a part of the line.
        for (along, room) in [
            (-dx, a.0 - self.left),
            (dx, self.right - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom - a.1),
        ] {
            if along == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if along < 0.0 {
                enter = enter.max(room / along);
            } else {
                leave = leave.min(room / along);
            }
        }
        enter <= leave
    }
}

/// What a label should not cover.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obstacles {
    /// Lines, with how bad it is to cover them.
    pub(crate) lines: Vec<(Spot, Spot, f64)>,
    /// Other labels, which must not be covered at all.
    pub(crate) labels: Vec<Frame>,
}

impl Obstacles {
    /// Adds a line through points.
    pub(crate) fn add_line(&mut self, points: &[Spot], weight: f64) {
        self.lines
            .extend(points.windows(2).map(|pair| (pair[0], pair[1], weight)));
    }

    /// How bad a label at `frame` would be; nothing when it must not be there.
    fn cost(&self, frame: &Frame, outer: &Frame) -> Option<f64> {
        if !frame.within(outer) || self.labels.iter().any(|label| label.overlaps(frame)) {
            return None;
        }
        let covered = self.lines.iter().filter(|(a, b, _)| frame.touches(*a, *b));
        Some(covered.map(|(_, _, weight)| weight).sum())
    }

    /// The best of `candidates` inside `outer`, the earlier one when two are equally good.
    pub(crate) fn best(&self, candidates: &[Frame], outer: &Frame) -> Option<Frame> {
        let mut best: Option<(f64, Frame)> = None;
        for candidate in candidates {
            let Some(cost) = self.cost(candidate, outer) else {
                continue;
            };
            if best.is_none_or(|(lowest, _)| cost < lowest) {
                best = Some((cost, *candidate));
            }
        }
        best.map(|(_, frame)| frame)
    }
}

/// Moves boxes of `heights` that want to be centred at `wanted` apart, between `top` and `bottom`,
/// as little as their order allows; gives their upper edges. When there is not room for all, the
/// last ones go beyond `bottom`.
pub(crate) fn spread(wanted: &[f64], heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut edges = vec![0.0; wanted.len()];
    let mut free = top;
    for &index in &order {
        edges[index] = (wanted[index] - heights[index] / 2.0).max(free);
        free = edges[index] + heights[index];
    }
    let mut limit = bottom;
    for &index in order.iter().rev() {
        edges[index] = edges[index].min(limit - heights[index]);
        limit = edges[index];
    }
    let mut free = top;
    for &index in &order {
        edges[index] = edges[index].max(free);
        free = edges[index] + heights[index];
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_at_the_same_height_are_moved_apart_and_stay_inside() {
        let edges = spread(&[95.0, 95.0, 10.0], &[20.0, 20.0, 20.0], 0.0, 100.0);
        assert_eq!(edges, vec![60.0, 80.0, 0.0]);
    }

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[50.0], &[20.0], 0.0, 100.0), vec![40.0]);
    }

    #[test]
    fn a_label_goes_where_it_covers_least() {
        let frame = |top: f64| Frame {
            left: 0.0,
            top,
            right: 10.0,
            bottom: top + 5.0,
        };
        let mut obstacles = Obstacles::default();
        obstacles.add_line(&[(-5.0, 2.0), (20.0, 3.0)], 1.0);
        let outer = Frame {
            left: 0.0,
            top: 0.0,
            right: 50.0,
            bottom: 50.0,
        };
        assert_eq!(
            obstacles.best(&[frame(0.0), frame(10.0)], &outer),
            Some(frame(10.0))
        );
        obstacles.labels.push(frame(10.0));
        assert_eq!(obstacles.best(&[frame(12.0)], &outer), None);
    }
}
