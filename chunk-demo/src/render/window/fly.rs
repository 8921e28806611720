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

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use bevy_app::{App, Update};

    use super::*;

    /// Where a pilot at 10 m who looks along -z is after half a second, in steps of a tenth, and which way it looks.
    fn flown(set: impl FnOnce(&mut World)) -> Transform {
        let mut app = App::new();
        app.init_resource::<Time>()
            .init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<ButtonInput<MouseButton>>()
            .init_resource::<AccumulatedMouseMotion>()
            .add_systems(Update, fly);
        let place = Transform::from_xyz(0.0, 10.0, 0.0);
        let pilot = app.world_mut().spawn((place, Pilot::default())).id();
        set(app.world_mut());
        for _ in 0..5 {
            let mut time = app.world_mut().resource_mut::<Time>();
            time.advance_by(Duration::from_millis(100));
            app.update();
        }
        *app.world().get(pilot).expect("the pilot is there")
    }

    fn keys(pressed: &[KeyCode]) -> impl FnOnce(&mut World) {
        move |world| {
            let mut keys = world.resource_mut::<ButtonInput<KeyCode>>();
            pressed.iter().for_each(|key| keys.press(*key));
        }
    }

    fn near(a: Vec3, b: Vec3) -> bool {
        a.distance(b) < 1e-2
    }

    #[test]
    fn keys_fly_in_the_direction_of_the_eyes() {
        let ahead = flown(keys(&[KeyCode::KeyW])).translation;
        assert!(near(ahead, Vec3::new(0.0, 10.0, -40.0)), "{ahead}");
        let fast = flown(keys(&[KeyCode::KeyD, KeyCode::ShiftLeft])).translation;
        assert!(near(fast, Vec3::new(250.0, 10.0, 0.0)), "{fast}");
        let up = flown(keys(&[KeyCode::KeyE])).translation;
        assert!(near(up, Vec3::new(0.0, 50.0, 0.0)), "{up}");
    }

    #[test]
    fn nobody_flies_into_the_ground() {
        let down = flown(keys(&[KeyCode::KeyQ])).translation;
        assert_eq!(down.y, LOWEST);
    }

    #[test]
    fn the_mouse_turns_the_eyes_while_a_button_is_held() {
        let moved = |world: &mut World| {
            world.resource_mut::<AccumulatedMouseMotion>().delta = Vec2::new(100.0, 0.0);
        };
        assert_eq!(flown(moved).forward().as_vec3(), Vec3::NEG_Z);
        let turned = flown(|world: &mut World| {
            moved(world);
            let mut buttons = world.resource_mut::<ButtonInput<MouseButton>>();
            buttons.press(MouseButton::Left);
        });
        // Five frames of 0.3 radians, to the right.
        let expected = Vec3::new(1.5_f32.sin(), 0.0, -1.5_f32.cos());
        assert!(near(turned.forward().as_vec3(), expected), "{turned:?}");
    }
}
