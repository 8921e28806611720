//! The piece of a street that something moves along.

use bevy_ecs::component::Component;
use bevy_math::{Quat, Vec3};
use serde::{Deserialize, Serialize};

/// An axis of the ground.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The world's x axis.
    X,
    /// The world's z axis.
    Z,
}

impl Axis {
    /// The rotation about y that turns −z towards the higher or the lower end of the axis.
    #[must_use]
    pub fn facing(self, is_higher: bool) -> Quat {
        let half = core::f32::consts::FRAC_1_SQRT_2;
        match (self, is_higher) {
            (Self::X, true) => Quat::from_xyzw(0.0, -half, 0.0, half),
            (Self::X, false) => Quat::from_xyzw(0.0, half, 0.0, half),
            (Self::Z, true) => Quat::from_xyzw(0.0, 1.0, 0.0, 0.0),
            (Self::Z, false) => Quat::IDENTITY,
        }
    }
}

/// What happens at the end of a [`Course`].
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// It begins anew at the other end, as if one vehicle left and another came.
    BeginAnew,
    /// It turns round and moves back.
    Turn,
}

/// The piece of a street that something moves along. Metres, from the chunk's minimum corner.
///
/// ```
/// use bevy_math::Vec3;
/// use chunk_demo::motion::{AtEnd, Axis, Course};
///
/// let mut course = Course { axis: Axis::X, from: 0.0, to: 100.0, speed: 10.0, at_end: AtEnd::BeginAnew };
/// let mut car = Vec3::new(95.0, 0.8, 30.0);
/// course.advance(&mut car, 1.0);
/// assert_eq!(car, Vec3::new(5.0, 0.8, 30.0));
/// ```
#[derive(Component, Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// The axis it moves along.
    pub axis: Axis,
    /// The lower end.
    pub from: f32,
    /// The upper end.
    pub to: f32,
    /// Metres a second, negative towards the lower end.
    pub speed: f32,
    /// What happens at either end.
    pub at_end: AtEnd,
}

impl Course {
    /// Moves a position on by this many seconds. Wherever it was, it is within the course afterwards.
    pub fn advance(&mut self, position: &mut Vec3, seconds: f32) {
        let along = match self.axis {
            Axis::X => &mut position.x,
            Axis::Z => &mut position.z,
        };
        let next = *along + self.speed * seconds;
        *along = if (self.from..=self.to).contains(&next) {
            next
        } else {
            match self.at_end {
                // At least a millimetre, so that a course without length is no division by zero.
                AtEnd::BeginAnew => {
                    self.from + (next - self.from).rem_euclid((self.to - self.from).max(1e-3))
                }
                AtEnd::Turn => {
                    self.speed = if next > self.to {
                        -self.speed.abs()
                    } else {
                        self.speed.abs()
                    };
                    next.max(self.from).min(self.to)
                }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_faces_either_end_of_an_axis() {
        for (axis, is_higher, towards) in [
            (Axis::X, false, Vec3::NEG_X),
            (Axis::X, true, Vec3::X),
            (Axis::Z, false, Vec3::NEG_Z),
            (Axis::Z, true, Vec3::Z),
        ] {
            let faces = axis.facing(is_higher) * Vec3::NEG_Z;
            assert!(faces.distance(towards) < 1e-6, "{axis:?} {faces}");
        }
    }

    fn course(at_end: AtEnd, speed: f32) -> Course {
        Course {
            axis: Axis::Z,
            from: 20.0,
            to: 50.0,
            speed,
            at_end,
        }
    }

    #[test]
    fn a_vehicle_begins_anew_from_either_side() {
        let mut there = Vec3::new(7.0, 1.0, 49.0);
        course(AtEnd::BeginAnew, 4.0).advance(&mut there, 0.5);
        assert_eq!(there, Vec3::new(7.0, 1.0, 21.0));
        course(AtEnd::BeginAnew, -4.0).advance(&mut there, 0.5);
        assert_eq!(there, Vec3::new(7.0, 1.0, 49.0));
    }

    #[test]
    fn a_person_turns_round_and_comes_back() {
        let mut course = course(AtEnd::Turn, 2.0);
        let mut there = Vec3::new(0.0, 0.0, 49.5);
        course.advance(&mut there, 1.0);
        assert_eq!((there.z, course.speed), (50.0, -2.0));
        course.advance(&mut there, 1.0);
        assert_eq!(there.z, 48.0);
    }

    #[test]
    fn nothing_ever_leaves_its_course() {
        for at_end in [AtEnd::BeginAnew, AtEnd::Turn] {
            for speed in [-31.0, 0.0, 29.0] {
                let mut course = course(at_end, speed);
                let mut there = Vec3::ZERO;
                for _ in 0..1_000 {
                    course.advance(&mut there, 0.37);
                    assert!((20.0..=50.0).contains(&there.z), "{course:?} {there}");
                }
            }
        }
    }

    #[test]
    fn a_course_without_length_holds_what_is_on_it() {
        let mut course = Course {
            to: 20.0,
            ..course(AtEnd::BeginAnew, 9.0)
        };
        let mut there = Vec3::ZERO;
        course.advance(&mut there, 1.0);
        assert!((there.z - 20.0).abs() <= 2e-3, "{there}");
    }
}
