//! Turns tables into charts and one HTML page.
