"""Petitions, information requests and partnership proposals, from filing to a reasoned answer."""
