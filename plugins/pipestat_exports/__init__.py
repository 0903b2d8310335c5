"""Exporters: records as tables for spreadsheets, data frames and other programs."""
