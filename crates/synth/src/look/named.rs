//! The built-in looks.

macro_rules! looks {
    ($($name:literal),* $(,)?) => {
        /// Name and file of each built-in look.
        pub(super) const NAMED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../looks/", $name, ".toml")))),*];
    };
}

looks![
    "words",
    "waves",
    "digits-plain",
    "php-gregwar",
    "python-lepture",
    "node-svg",
    "node-svg-color",
    "wordpress-simple",
    "java-kaptcha",
    "java-simplecaptcha",
    "java-patchca",
    "java-easy",
    "php-securimage",
    "python-django",
    "php-phpbb",
    "php-yii",
    "php-drupal",
    "php-laravel-flat",
    "php-kcaptcha",
    "php-cool",
    "go-dchest",
    "go-base64",
    "ruby-simple",
    "ruby-rucaptcha",
    "net-botdetect-neon",
    "net-hatch-warp",
    "forum-grid",
    "smear-strike",
    "digits-smear",
    "digits-handwritten",
    "wide-ten",
    "serial-sixteen",
    "hollow",
    "cut-lines",
    "confetti",
];
