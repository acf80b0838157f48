/* The unit tests include it before cmocka.h, as cmocka asks for it. There is none for WebAssembly, and tests/wasm/cmocka.h needs none. */
