//! The built-in looks.

macro_rules! looks {
    ($($name:literal),* $(,)?) => {
        /// Name and file of each built-in look.
        pub(super) const NAMED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../looks/", $name, ".toml")))),*];
    };
}

looks!["words", "waves", "digits-plain"];
