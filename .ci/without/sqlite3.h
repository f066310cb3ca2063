#error "SQLite is looked for without its trait"
