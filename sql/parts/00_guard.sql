-- Runs only by way of CREATE EXTENSION.
\echo Use "CREATE EXTENSION hashidx" to load this file. \quit

