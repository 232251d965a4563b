//! Where faces are: points, rectangles, and a face with its five points.
//!
//! Pixels of the picture, x to the right and y down, with the corner of the picture at 0. "Left"
//! and "right" are the viewer's, never the person's.

/// A place in a picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// How far away `other` is, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright rectangle, in pixels. It may reach beyond the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Smallest x.
    pub left: f32,
    /// Smallest y.
    pub top: f32,
    /// Largest x.
    pub right: f32,
    /// Largest y.
    pub bottom: f32,
}

impl Rect {
    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// Square pixels; 0 for a rectangle turned inside out.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// The middle.
    #[must_use]
    pub fn centre(&self) -> Point {
        Point { x: (self.left + self.right) / 2.0, y: (self.top + self.bottom) / 2.0 }
    }

    /// Square pixels that both cover.
    #[must_use]
    pub fn shared_area(&self, other: &Self) -> f32 {
        let left = self.left.max(other.left);
        let top = self.top.max(other.top);
        let (right, bottom) = (self.right.min(other.right), self.bottom.min(other.bottom));
        Self { left, top, right, bottom }.area()
    }

    /// Intersection over union, 0 to 1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.shared_area(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// A face the detector found.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Its box.
    pub rect: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Eye, eye, nose tip, mouth corner, mouth corner; of each pair the left one first.
    pub points: [Point; 5],
}

impl Face {
    /// Pixels from eye to eye: the measure of how much there is to see.
    #[must_use]
    pub fn eye_distance(&self) -> f32 {
        self.points[0].distance(self.points[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(left: f32, side: f32) -> Rect {
        Rect { left, top: 0.0, right: left + side, bottom: side }
    }

    #[test]
    fn overlap_is_one_with_itself_and_nothing_apart() {
        let one = square(0.0, 10.0);
        assert_eq!(one.iou(&one), 1.0);
        assert_eq!(one.iou(&square(20.0, 10.0)), 0.0);
        assert!((one.iou(&square(5.0, 10.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(Rect::default().iou(&Rect::default()), 0.0);
    }

    #[test]
    fn sizes_and_the_middle_are_in_pixels() {
        let rect = Rect { left: 10.0, top: 20.0, right: 14.0, bottom: 30.0 };
        assert_eq!((rect.width(), rect.height(), rect.area()), (4.0, 10.0, 40.0));
        assert_eq!(rect.centre(), Point { x: 12.0, y: 25.0 });
    }

    #[test]
    fn eyes_three_across_and_four_down_are_five_apart() {
        let mut face = Face { rect: square(0.0, 9.0), score: 1.0, points: Default::default() };
        face.points[1] = Point { x: 3.0, y: 4.0 };
        assert_eq!(face.eye_distance(), 5.0);
    }
}
