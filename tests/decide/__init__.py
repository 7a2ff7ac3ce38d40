"""Judgement: tables for the rules, laws for the rest."""
