use rig_payload::{Mode, Setting, State};

use super::Field;

/// The values that a message carries; what it does not carry is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values([Option<i64>; Field::COUNT]);

impl Values {
    /// The values of a payload: its header, and its body where that is a setting or a state.
    #[must_use]
    pub fn of(payload: &rig_payload::Frame) -> Self {
        let mut values = Self::default();
        let header = &payload.header;
        values.set(Field::Sequence, header.sequence.into());
        values.set(Field::Correlation, header.correlation.into());
        values.set(Field::Stamp, i64::try_from(header.stamp).unwrap_or(i64::MAX));
        if let Some(setting) = payload.body.setting() {
            values.set(Field::Value, setting.value.into());
            values.set(Field::Flags, setting.flags.into());
        }
        if let Some(state) = payload.body.state() {
            values.set(Field::Mode, i64::from(state.mode as u8));
            values.set(Field::Feeder, state.feeder.into());
            values.set(Field::Boots, state.boots.into());
            values.set(Field::LastSetting, state.last_setting.into());
            values.set(Field::PowerW, state.power_w.into());
            values.set(Field::ChargePermille, state.charge_permille.into());
            values.set(Field::EnergyWh, state.energy_wh.into());
            values.set(Field::VoltageMv, state.voltage_mv.into());
            values.set(Field::FrequencyMhz, state.frequency_mhz.into());
            values.set(Field::EventAgeUs, state.event_age_us.into());
            values.set(Field::Trips, state.trips.into());
        }
        values
    }

    /// The value of a field, where it is carried.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<i64> {
        self.0[field as usize]
    }

    /// Sets the value of a field.
    pub fn set(&mut self, field: Field, value: i64) {
        self.0[field as usize] = Some(value);
    }

    /// The setting of a command or acknowledgement, where its value is carried; flags that are not are 0. Numbers that
    /// a setting cannot hold are clamped to what it can.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        let value = clamped(self.get(Field::Value)?);
        Some(Setting { value, flags: self.number(Field::Flags) })
    }

    /// The state, where a mode that exists, the boots and the last setting are carried, as it is these that are judged.
    /// Of the rest, what is not carried is 0, and numbers that a state cannot hold are clamped to what it can.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        Some(State {
            mode: Mode::from_byte(u8::try_from(self.get(Field::Mode)?).ok()?)?,
            boots: clamped(self.get(Field::Boots)?),
            last_setting: clamped(self.get(Field::LastSetting)?),
            feeder: self.get(Field::Feeder).is_some_and(|value| value != 0),
            power_w: self.number(Field::PowerW),
            charge_permille: self.number(Field::ChargePermille),
            energy_wh: self.number(Field::EnergyWh),
            voltage_mv: self.number(Field::VoltageMv),
            frequency_mhz: self.number(Field::FrequencyMhz),
            event_age_us: self.number(Field::EventAgeUs),
            trips: self.number(Field::Trips),
        })
    }

    fn number<T: Bounded>(&self, field: Field) -> T {
        clamped(self.get(field).unwrap_or(0))
    }
}

/// A number of a payload.
trait Bounded: TryFrom<i64> {
    const MIN: Self;
    const MAX: Self;
}

macro_rules! bounded {
    ($($number:ty),*) => {
        $(impl Bounded for $number {
            const MIN: Self = Self::MIN;
            const MAX: Self = Self::MAX;
        })*
    };
}

bounded!(u8, u16, u32, i32);

fn clamped<T: Bounded>(value: i64) -> T {
    T::try_from(value).unwrap_or(if value < 0 { T::MIN } else { T::MAX })
}
