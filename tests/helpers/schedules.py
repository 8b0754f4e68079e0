"""Names and schedules of DAGs that Airflow takes, and that it does not."""

TAKEN = (
    None, "@once", "@quarterly", "@midnight", "*/15 0-6,22 * * *", "0 2 * * mon-fri",
    "0 0 1,L jan/3 ?", "0 0 15W * *", "0 0 * * fri#2", "0 0 * * L5", "0 22-4/2 1-l * 7",
)  # fmt: skip
REFUSED = (
    "61 25 * * 9", "0 2 * *", "@fortnightly", "*/0 * * * *", "0 24 * * *", "0 0 0 * *",
    "0 0 * 13 *", "0 0 * * 5#6", "0 0 * jam *", "? * * * *", "1- * * * *", "0 0 * * L5,1",
    "0 0 15W,16 * *", "",
)  # fmt: skip
NAMES_TAKEN = ("fine.and-well_1", "a..b", "щоденно", "n" * 250)
NAMES_REFUSED = ("щоденно читати", "n" * 251, "../elsewhere", "")
