//! Measures how long whole frames take: the main world's, and those of sub-apps such as Bevy's render world, without naming
//! them.

use crate::{
    budget::{Clock, MonotonicClock},
    sync::{Arc, Mutex, MutexGuard, PoisonError, ThreadId, current_thread},
};
use bevy_app::{App, First, Last, SubApp};
use bevy_ecs::{
    intern::Interned,
    message::MessageUpdateSystems,
    resource::Resource,
    schedule::{
        IntoScheduleConfigs, IntoSystemSet, Schedule, ScheduleLabel, SingleThreadedExecutor,
        SystemSet,
    },
    system::Res,
    world::World,
};
use core::time::Duration;

/// How long the work of the app's whole frames takes. The systems of a stream add it, and its clock is that of the stream
/// which was started last.
///
/// The time between the app's frames is not measured: a limit on the frame rate, a window in the background. Nor is what a
/// display makes the renderer wait, if it is [left out](Self::leave_out).
#[derive(Resource, Clone, Debug)]
pub struct FrameMeter(Arc<Mutex<Marks>>);

/// How long the work of one frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WholeFrame {
    /// The main world, from its `First` to its `Last`.
    pub main: Duration,
    /// Extraction: copying to the sub-apps what they need of the main world.
    pub extract: Duration,
    /// The sub-apps, such as the render world, without what was [left out](FrameMeter::leave_out).
    pub render: Duration,
    /// Whether the render world works on another thread while the main world is at its next frame.
    pub is_pipelined: bool,
}

impl WholeFrame {
    /// How long the frame took. Where two threads worked at the same time, this is the longer of both.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let main = self.main + self.extract;
        if self.is_pipelined {
            main.max(self.render)
        } else {
            main + self.render
        }
    }
}

#[derive(Debug)]
struct Marks {
    clock: Arc<dyn Clock>,
    /// When the main world's frame, a sub-app's update, and a wait began.
    main_began: Option<Duration>,
    render_began: Option<Duration>,
    wait_began: Option<Duration>,
    /// How long the main world's latest frame took, and whether sub-apps extracted it.
    main: Duration,
    is_extracted: bool,
    extracted_by: Option<ThreadId>,
    /// The frame that sub-apps have extracted and may still be at work on, and the one before.
    drawing: WholeFrame,
    drawn: Option<WholeFrame>,
    latest: Option<WholeFrame>,
}

impl FrameMeter {
    /// Adds it to the app, unless it is there.
    pub(super) fn add_to(app: &mut App) {
        if app.world().contains_resource::<Self>() {
            return;
        }
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::default());
        let marks = Marks {
            clock,
            main_began: None,
            render_began: None,
            wait_began: None,
            main: Duration::ZERO,
            is_extracted: false,
            extracted_by: None,
            drawing: WholeFrame::default(),
            drawn: None,
            latest: None,
        };
        app.insert_resource(Self(Arc::new(Mutex::new(marks))))
            .add_systems(First, main_begins.before(MessageUpdateSystems))
            // It notes the time, and changes nothing that others read.
            .add_systems(Last, main_ends.ambiguous_with_all());
    }

    /// Measures the sub-apps that are there by now. In an app that has been measured it does nothing.
    pub(super) fn watch_sub_apps(app: &mut App) {
        let Some(meter) = app.world().get_resource::<Self>().cloned() else {
            return;
        };
        for sub_app in app.sub_apps_mut().sub_apps.values_mut() {
            // One without a schedule hands another's over to its thread.
            if let Some(schedule) = sub_app.update_schedule
                && !sub_app.world().contains_resource::<Self>()
            {
                meter.watch(sub_app, schedule);
            }
        }
    }

    fn watch(&self, sub_app: &mut SubApp, schedule: Interned<dyn ScheduleLabel>) {
        let (meter, drawing) = (self.clone(), self.clone());
        let mut extract = sub_app.take_extract();
        sub_app.set_extract(move |main, sub_world| {
            let began = meter.extract_begins();
            if let Some(extract) = &mut extract {
                extract(main, sub_world);
            }
            meter.extract_ends(began);
        });
        let mut measured = Schedule::new(MeasuredUpdate);
        measured.set_executor(SingleThreadedExecutor::new());
        measured.add_systems(move |world: &mut World| {
            drawing.render_begins();
            world.run_schedule(schedule);
            drawing.render_ends();
        });
        sub_app.insert_resource(self.clone());
        sub_app.add_schedule(measured);
        sub_app.update_schedule = Some(MeasuredUpdate.intern());
    }

    /// Leaves a system of a sub-app out of what is measured, because it waits and does not work. Without this, a frame that
    /// waits for the display appears to be full, and a budget that [follows the frame](crate::FrameTarget) gives streaming its
    /// floor. With Bevy's renderer and a window:
    ///
    /// ```text
    /// use bevy::render::{Render, RenderApp, view::window::prepare_windows};
    ///
    /// if let Some(render_app) = app.get_sub_app_mut(RenderApp) {
    ///     FrameMeter::leave_out(render_app, Render, prepare_windows);
    /// }
    /// ```
    pub fn leave_out<M>(
        sub_app: &mut SubApp,
        schedule: impl ScheduleLabel,
        system: impl IntoSystemSet<M>,
    ) {
        let system = system.into_system_set().intern();
        let begins = |meter: Option<Res<Self>>| {
            if let Some(meter) = meter {
                meter.wait_begins();
            }
        };
        let ends = |meter: Option<Res<Self>>| {
            if let Some(meter) = meter {
                meter.wait_ends();
            }
        };
        sub_app.add_systems(schedule, (begins.before(system), ends.after(system)));
    }

    /// The latest frame of which all work is done: the one before the current, or where rendering is pipelined the one before
    /// that. `None` in the first marks.
    #[must_use]
    pub fn latest(&self) -> Option<WholeFrame> {
        self.marks().latest
    }

    pub(super) fn measure_with(&self, clock: Arc<dyn Clock>) {
        self.marks().clock = clock;
    }

    fn extract_begins(&self) -> Duration {
        let mut marks = self.marks();
        // A sub-app is extracted when its update of the frame before is over.
        if !core::mem::replace(&mut marks.is_extracted, true) {
            let now = WholeFrame {
                main: marks.main,
                is_pipelined: marks.drawing.is_pipelined,
                ..WholeFrame::default()
            };
            marks.drawn = Some(core::mem::replace(&mut marks.drawing, now));
            marks.extracted_by = Some(current_thread());
        }
        marks.clock.now()
    }

    fn extract_ends(&self, began: Duration) {
        let mut marks = self.marks();
        let took = marks.clock.now().saturating_sub(began);
        marks.drawing.extract += took;
    }

    fn render_begins(&self) {
        let mut marks = self.marks();
        marks.drawing.is_pipelined = marks.extracted_by != Some(current_thread());
        marks.render_began = Some(marks.clock.now());
    }

    fn render_ends(&self) {
        let mut marks = self.marks();
        if let Some(began) = marks.render_began.take() {
            let took = marks.clock.now().saturating_sub(began);
            marks.drawing.render += took;
        }
    }

    fn wait_begins(&self) {
        let mut marks = self.marks();
        marks.wait_began = Some(marks.clock.now());
    }

    fn wait_ends(&self) {
        let mut marks = self.marks();
        if let Some(began) = marks.wait_began.take() {
            // What is measured began that much later.
            let waited = marks.clock.now().saturating_sub(began);
            marks.render_began = marks.render_began.map(|began| began + waited);
        }
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    /// The main world begins a frame: what is known of the one before?
    fn begin(&mut self) {
        let is_extracted = core::mem::take(&mut self.is_extracted);
        self.latest = if self.main_began.is_none() {
            None
        } else if !is_extracted {
            let main = self.main;
            Some(WholeFrame {
                main,
                ..WholeFrame::default()
            })
        } else if self.drawing.is_pipelined {
            self.drawn
        } else {
            Some(self.drawing)
        };
        self.main_began = Some(self.clock.now());
    }

    fn end(&mut self) {
        if let Some(began) = self.main_began {
            self.main = self.clock.now().saturating_sub(began);
        }
    }
}

fn main_begins(meter: Res<FrameMeter>) {
    meter.marks().begin();
}

fn main_ends(meter: Res<FrameMeter>) {
    meter.marks().end();
}

/// What a sub-app runs instead of its own schedule, which this runs.
#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct MeasuredUpdate;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::ManualClock;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn where_rendering_is_pipelined_the_longer_of_two_threads_counts() {
        let clock = ManualClock::default();
        let mut app = App::new();
        FrameMeter::add_to(&mut app);
        let meter = app.world().resource::<FrameMeter>().clone();
        meter.measure_with(Arc::new(clock.clone()));
        let main = |work| {
            meter.marks().begin();
            clock.advance(work);
            meter.marks().end();
        };
        let extract = || {
            let began = meter.extract_begins();
            clock.advance(MILLISECOND);
            meter.extract_ends(began);
        };
        // The same clock for both threads: what the render world does counts for the main world's frame as well.
        let render = |work| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    meter.render_begins();
                    clock.advance(work);
                    meter.render_ends();
                });
            });
        };
        for frame in 1..5 {
            main(frame * MILLISECOND);
            extract();
            render(7 * MILLISECOND);
        }
        main(MILLISECOND);
        let whole = WholeFrame {
            main: 3 * MILLISECOND,
            extract: MILLISECOND,
            render: 7 * MILLISECOND,
            is_pipelined: true,
        };
        assert_eq!(
            meter.latest(),
            Some(whole),
            "of the fourth the renderer may be at work"
        );
        assert_eq!(whole.busy(), 7 * MILLISECOND);
    }
}
