//! Measures how long whole frames take: the main world's, and those of sub-apps such as Bevy's render world, without naming
//! them.

use crate::{
    budget::{Clock, MonotonicClock},
    sync::{Arc, Mutex, MutexGuard, PoisonError, ThreadId, current_thread},
};
use bevy_app::{App, First, Last, MainScheduleOrder, SubApp};
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

/// How long the processor's work of the app's whole frames takes. The systems of a stream add it, and its clock is that of the
/// stream which was started last. What a GPU takes is not measured.
///
/// The main world and the sub-apps that have a schedule when the app's plugins are finished are measured. The time between the
/// app's frames is not: a window in the background, a limit on the frame rate outside of its schedules. What waits within a
/// schedule has to be [left out](Self::leave_out).
#[derive(Resource, Clone, Debug)]
pub struct FrameMeter(Arc<Mutex<Marks>>);

/// How long the work of one frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WholeFrame {
    /// The main world, from its `First` to its `Last`, without what was [left out](FrameMeter::leave_out).
    pub main: Duration,
    /// Extraction: copying to the sub-apps what they need of the main world.
    pub extract: Duration,
    /// Sub-apps that are updated after the main world on the same thread, such as the render world.
    pub render: Duration,
    /// Sub-apps on threads of their own, while the main world is at its next frame: the render world where rendering is
    /// pipelined.
    pub beside: Duration,
}

impl WholeFrame {
    /// How long the frame took. Where two threads worked at the same time, this is the longer of both.
    #[must_use]
    pub fn busy(&self) -> Duration {
        (self.main + self.extract + self.render).max(self.beside)
    }

    /// Whether a sub-app works while the main world is at its next frame.
    #[must_use]
    pub fn is_pipelined(&self) -> bool {
        !self.beside.is_zero()
    }

    /// How long it would have taken without so much of the main world's work.
    pub(super) fn without(&self, streaming: Duration) -> Duration {
        let main = self.main.saturating_sub(streaming);
        Self { main, ..*self }.busy()
    }
}

/// When the work of one world began, and a wait within.
#[derive(Debug, Default)]
struct Timer {
    began: Option<Duration>,
    wait_began: Option<Duration>,
}

#[derive(Debug)]
struct Marks {
    clock: Arc<dyn Clock>,
    /// Takes the clock's place when a frame begins.
    next_clock: Option<Arc<dyn Clock>>,
    /// Of the main world and of each sub-app.
    timers: Vec<Timer>,
    has_begun: bool,
    /// How long the main world's latest frame took, and whether sub-apps extracted it.
    main: Duration,
    is_extracted: bool,
    extracted_by: Option<ThreadId>,
    /// How many sub-apps have extracted it and are not done.
    unfinished: usize,
    is_pipelined: bool,
    /// The frame that sub-apps have extracted and may still be at work on, and the one before.
    drawing: Option<WholeFrame>,
    drawn: Option<WholeFrame>,
    latest: Option<WholeFrame>,
}

/// In each world that is measured, and which of the timers is its own.
#[derive(Resource, Clone, Debug)]
struct Measured {
    meter: FrameMeter,
    timer: usize,
}

const MAIN: usize = 0;

impl FrameMeter {
    /// Adds it to the app, unless it is there.
    pub(super) fn add_to(app: &mut App) {
        if app.world().contains_resource::<Self>() {
            return;
        }
        let meter = Self(Arc::new(Mutex::new(Marks::new())));
        let measured = Measured {
            meter: meter.clone(),
            timer: MAIN,
        };
        app.insert_resource(meter)
            .insert_resource(measured)
            .add_systems(First, main_begins.before(MessageUpdateSystems));
        let order = app.world_mut().get_resource_mut::<MainScheduleOrder>();
        if let Some(mut order) = order
            && order.labels.contains(&Last.intern())
        {
            order.insert_after(Last, AfterLast);
            app.add_systems(AfterLast, main_ends);
        } else {
            // It notes the time, and changes nothing that others read.
            app.add_systems(Last, main_ends.ambiguous_with_all());
        }
    }

    /// Measures the sub-apps that are there by now. In an app that has been measured it does nothing.
    pub(super) fn watch_sub_apps(app: &mut App) {
        let Some(meter) = app.world().get_resource::<Self>().cloned() else {
            return;
        };
        for sub_app in app.sub_apps_mut().sub_apps.values_mut() {
            // One without a schedule hands another's over to its thread.
            if let Some(schedule) = sub_app.update_schedule
                && !sub_app.world().contains_resource::<Measured>()
            {
                meter.watch(sub_app, schedule);
            }
        }
    }

    fn watch(&self, sub_app: &mut SubApp, schedule: Interned<dyn ScheduleLabel>) {
        let mut marks = self.marks();
        let timer = marks.timers.len();
        marks.timers.push(Timer::default());
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
            drawing.marks().begin(timer);
            world.run_schedule(schedule);
            drawing.render_ends(timer);
        });
        let meter = self.clone();
        sub_app.insert_resource(Measured { meter, timer });
        sub_app.add_schedule(measured);
        sub_app.update_schedule = Some(MeasuredUpdate.intern());
    }

    /// Leaves a system out of what is measured, because it waits and does not work. Without this, a frame that waits for the
    /// display appears to be full, and a budget that [follows the frame](crate::FrameTarget) gives streaming its floor. What is
    /// left out begins when both `after`, the set or system that comes before it in this schedule, and the systems it waits for
    /// itself are done. With Bevy's renderer and a window:
    ///
    /// ```text
    /// use bevy::render::{Render, RenderApp, RenderSystems, view::window::prepare_windows};
    ///
    /// if let Some(render_app) = app.get_sub_app_mut(RenderApp) {
    ///     FrameMeter::leave_out(render_app, Render, RenderSystems::Specialize, prepare_windows);
    /// }
    /// ```
    ///
    /// A system of the main world that limits the frame rate is left out of `app.main_mut()` in the same way.
    pub fn leave_out<M, N>(
        app: &mut SubApp,
        schedule: impl ScheduleLabel,
        after: impl IntoSystemSet<N>,
        system: impl IntoSystemSet<M>,
    ) {
        let system = system.into_system_set().intern();
        let begins = |measured: Option<Res<Measured>>| {
            if let Some(measured) = measured {
                measured.meter.marks().wait_begins(measured.timer);
            }
        };
        let ends = |measured: Option<Res<Measured>>| {
            if let Some(measured) = measured {
                measured.meter.marks().wait_ends(measured.timer);
            }
        };
        let around = (begins.after(after).before(system), ends.after(system));
        app.add_systems(schedule, around);
    }

    /// The latest frame of which all work is done: the one before the current, or where rendering is pipelined the one before
    /// that. `None` until there is one.
    #[must_use]
    pub fn latest(&self) -> Option<WholeFrame> {
        self.marks().latest
    }

    /// Measures by another clock from the next frame on.
    pub(super) fn measure_with(&self, clock: Arc<dyn Clock>) {
        self.marks().next_clock = Some(clock);
    }

    fn extract_begins(&self) -> Duration {
        let mut marks = self.marks();
        // A sub-app is extracted when its update of the frame before is over.
        if !core::mem::replace(&mut marks.is_extracted, true) {
            let now = WholeFrame {
                main: marks.main,
                ..WholeFrame::default()
            };
            marks.drawn = marks.drawing.replace(now);
            marks.extracted_by = Some(current_thread());
            marks.unfinished = 0;
        }
        marks.clock.now()
    }

    fn extract_ends(&self, began: Duration) {
        let mut marks = self.marks();
        let took = marks.clock.now().saturating_sub(began);
        marks.unfinished += 1;
        if let Some(drawing) = &mut marks.drawing {
            drawing.extract += took;
        }
    }

    fn render_ends(&self, timer: usize) {
        let mut marks = self.marks();
        let is_beside = marks.extracted_by != Some(current_thread());
        marks.unfinished = marks.unfinished.saturating_sub(1);
        marks.is_pipelined |= is_beside;
        let took = marks.end(timer);
        if let (Some(drawing), Some(took)) = (&mut marks.drawing, took) {
            let part = if is_beside {
                &mut drawing.beside
            } else {
                &mut drawing.render
            };
            *part += took;
        }
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    fn new() -> Self {
        Self {
            clock: Arc::new(MonotonicClock::default()),
            next_clock: None,
            timers: vec![Timer::default()],
            has_begun: false,
            main: Duration::ZERO,
            is_extracted: false,
            extracted_by: None,
            unfinished: 0,
            is_pipelined: false,
            drawing: None,
            drawn: None,
            latest: None,
        }
    }

    /// The main world begins a frame: what is known of the ones before?
    fn begin_frame(&mut self) {
        if let Some(clock) = self.next_clock.take() {
            // Times of two clocks have nothing in common.
            *self = Self {
                clock,
                timers: self.timers.iter().map(|_| Timer::default()).collect(),
                ..Self::new()
            };
        }
        let is_extracted = core::mem::take(&mut self.is_extracted);
        self.latest = if !core::mem::replace(&mut self.has_begun, true) {
            None
        } else if !is_extracted {
            let main = self.main;
            Some(WholeFrame {
                main,
                ..WholeFrame::default()
            })
        } else if self.is_pipelined {
            self.drawn
        } else {
            // The first time a thread may be at work on it, of which nothing is known yet.
            self.drawing.filter(|_| self.unfinished == 0)
        };
        self.begin(MAIN);
    }

    fn begin(&mut self, timer: usize) {
        self.timers[timer] = Timer {
            began: Some(self.clock.now()),
            wait_began: None,
        };
    }

    fn end(&mut self, timer: usize) -> Option<Duration> {
        let began = self.timers[timer].began.take()?;
        Some(self.clock.now().saturating_sub(began))
    }

    fn wait_begins(&mut self, timer: usize) {
        self.timers[timer].wait_began = Some(self.clock.now());
    }

    fn wait_ends(&mut self, timer: usize) {
        let now = self.clock.now();
        let timer = &mut self.timers[timer];
        if let Some(wait_began) = timer.wait_began.take() {
            // What is measured began that much later.
            let waited = now.saturating_sub(wait_began);
            timer.began = timer.began.map(|began| began + waited);
        }
    }
}

fn main_begins(meter: Res<FrameMeter>) {
    meter.marks().begin_frame();
}

fn main_ends(meter: Res<FrameMeter>) {
    let mut marks = meter.marks();
    if let Some(took) = marks.end(MAIN) {
        marks.main = took;
    }
}

/// Comes after `Last`, so that all of that is measured.
#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct AfterLast;

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
        meter
            .marks()
            .timers
            .extend([Timer::default(), Timer::default()]);
        let main = |work| {
            meter.marks().begin_frame();
            clock.advance(work);
            let mut marks = meter.marks();
            marks.main = marks.end(MAIN).expect("it has begun");
        };
        let extract = || {
            let began = meter.extract_begins();
            clock.advance(MILLISECOND);
            meter.extract_ends(began);
        };
        // The same clock for both threads: what the render world does counts for another sub-app of the main thread as well.
        let render = |work| {
            meter.marks().begin(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    meter.marks().begin(1);
                    clock.advance(work);
                    meter.render_ends(1);
                });
            });
            meter.render_ends(2);
        };
        let mut latest = Vec::new();
        for frame in 1..5 {
            main(frame * MILLISECOND);
            latest.push(meter.latest());
            extract();
            render(7 * MILLISECOND);
        }
        let whole = |main: u32| WholeFrame {
            main: main * MILLISECOND,
            extract: MILLISECOND,
            render: 7 * MILLISECOND,
            beside: 7 * MILLISECOND,
        };
        // Of the one before the renderer may be at work.
        assert_eq!(latest, [None, None, Some(whole(1)), Some(whole(2))]);
        assert_eq!(whole(1).busy(), 9 * MILLISECOND);
        let render = WholeFrame {
            beside: 12 * MILLISECOND,
            ..whole(1)
        };
        assert_eq!(render.busy(), 12 * MILLISECOND);
        assert_eq!(render.without(MILLISECOND), 12 * MILLISECOND);
    }

    #[test]
    fn another_clock_counts_from_the_next_frame_on() {
        let [first, second] = [0, 9_000].map(|ahead| {
            let clock = ManualClock::default();
            clock.advance(ahead * MILLISECOND);
            clock
        });
        let mut app = App::new();
        FrameMeter::add_to(&mut app);
        let meter = app.world().resource::<FrameMeter>().clone();
        meter.measure_with(Arc::new(first.clone()));
        let frame = |clock: &ManualClock| {
            clock.advance(MILLISECOND);
            let mut marks = meter.marks();
            marks.main = marks.end(MAIN).expect("it has begun");
            marks.begin_frame();
            marks.latest.map(|it| it.main)
        };
        meter.marks().begin_frame();
        assert_eq!(frame(&first), Some(MILLISECOND));
        meter.measure_with(Arc::new(second.clone()));
        assert_eq!(frame(&first), None);
        assert_eq!(frame(&second), Some(MILLISECOND));
    }
}
