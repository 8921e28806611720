//! Flying with keys and mouse.

use bevy_ecs::prelude::*;
use bevy_input::ButtonInput;
use bevy_input::keyboard::KeyCode;
use bevy_input::mouse::{AccumulatedMouseMotion, MouseButton};
use bevy_math::{EulerRot, Quat, Vec2, Vec3};
use bevy_time::Time;
use bevy_transform::components::Transform;

/// Who flies: the direction of the eyes, in radians.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pilot {
    yaw: f32,
    pitch: f32,
}

/// Metres a second, and with Shift.
const SPEED: f32 = 80.0;
const FAST: f32 = 500.0;
/// Radians for each dot that the mouse moves.
const TURN: f32 = 0.003;
const LOWEST: f32 = 2.0;

impl Pilot {
    /// Looks where the transform does, a little down.
    pub(super) fn new(transform: &Transform) -> Self {
        let (yaw, ..) = transform.rotation.to_euler(EulerRot::YXZ);
        Self { yaw, pitch: -0.2 }
    }

    fn turn(&mut self, mouse: Vec2) {
        self.yaw -= mouse.x * TURN;
        self.pitch = (self.pitch - mouse.y * TURN).clamp(-1.5, 1.5);
    }

    fn rotation(self) -> Quat {
        Quat::from_euler(EulerRot::YXZ, self.yaw, self.pitch, 0.0)
    }
}

pub(super) fn fly(
    time: Res<Time>,
    keys: Res<ButtonInput<KeyCode>>,
    buttons: Res<ButtonInput<MouseButton>>,
    mouse: Res<AccumulatedMouseMotion>,
    mut pilots: Query<(&mut Transform, &mut Pilot)>,
) {
    let is_down = |key| f32::from(u8::from(keys.pressed(key)));
    let wish = Vec3::new(
        is_down(KeyCode::KeyD) - is_down(KeyCode::KeyA),
        is_down(KeyCode::KeyE) - is_down(KeyCode::KeyQ),
        is_down(KeyCode::KeyS) - is_down(KeyCode::KeyW),
    );
    let is_fast = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let speed = if is_fast { FAST } else { SPEED };
    for (mut transform, mut pilot) in &mut pilots {
        if buttons.any_pressed([MouseButton::Left, MouseButton::Right]) {
            pilot.turn(mouse.delta);
        }
        transform.rotation = pilot.rotation();
        let way = transform.rotation * wish.with_y(0.0) + wish.y * Vec3::Y;
        transform.translation += way * speed * time.delta_secs().min(0.1);
        transform.translation.y = transform.translation.y.max(LOWEST);
    }
}
