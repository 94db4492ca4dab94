use captcha_model::error::plain_cause;

#[test]
fn plain_cause_is_one_line_without_wrapping() {
    for (message, plain) in [
        ("the disk is full", "the disk is full"),
        // JavaScript errors, with and without a stack.
        (
            "JsValue(OperationError: no device\nundefined)",
            "OperationError: no device",
        ),
        (
            "JsValue(OperationError: no device undefined)",
            "OperationError: no device",
        ),
        (
            "it failed: JsValue(Error: gone\n    at wasm-function[12] (http://localhost/x.wasm))",
            "it failed: Error: gone",
        ),
        // burn's.
        (
            "An error happened during execution\nCaused by:\n  The device was lost\n\nBacktrace:\n   0: f\n",
            "The device was lost",
        ),
        ("lost\nBacktrace: No backtrace available", "lost"),
        // A panic.
        (
            "panicked at /home/someone/.cargo/registry/src/x-1/cubecl-wgpu-0.11.3/src/stream.rs:73:13:\nCannot profile",
            "panicked at stream.rs:73:13: Cannot profile",
        ),
        (
            "panicked at C:\\build\\crates\\wasm\\src\\lib.rs:1:2:\nno",
            "panicked at lib.rs:1:2: no",
        ),
        // Text that only looks like a path stays.
        ("an input/output error", "an input/output error"),
    ] {
        assert_eq!(plain_cause(message), plain);
    }
}
