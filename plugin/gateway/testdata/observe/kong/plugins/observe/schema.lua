return { name = "observe", fields = { { config = { type = "record", fields = {} } } } }
