"""The words of the registry that other programs rely on."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """What an organisation is in law."""

    ASSOCIATION = "association"
    ASSOCIATION_BRANCH = "association_branch"
    FEDERATION = "federation"
    CONFEDERATION = "confederation"
    FOUNDATION = "foundation"
    FOUNDATION_UNIVERSITY = "foundation_university"
    PROFESSIONAL_BODY = "professional_body"
    TRADES_CHAMBER = "trades_chamber"
    PLATFORM = "platform"
    FOREIGN_ASSOCIATION = "foreign_association"
    UNION = "union"
    COOPERATIVE = "cooperative"
    COMPANY = "company"
    PUBLIC_BODY = "public_body"
    MUNICIPALITY = "municipality"


class State(StrEnum):
    """Whether an organisation exists, as far as the registry knows."""

    ACTIVE = "active"
    DISSOLVED = "dissolved"
    TO_VERIFY = "to_verify"


class StatusKind(StrEnum):
    """What the President may grant: public benefit (5253/27), tax exemption (4962/20)."""

    PUBLIC_BENEFIT = "public_benefit"
    TAX_EXEMPT = "tax_exempt"


class Permission(StrEnum):
    """Whether a protocol needs the permission of the highest local civil authority."""

    NOT_NEEDED = "not_needed"
    EXEMPT = "exempt"
    REQUIRED = "required"
    DISCRETIONARY = "discretionary"
    NOT_POSSIBLE = "not_possible"
    LEGAL_REVIEW = "legal_review"


class Ground(StrEnum):
    """Why no permission is needed."""

    PUBLIC_BODY = "public_body"
    PROFESSIONAL_BODY = "professional_body"
    TRADES_CHAMBER = "trades_chamber"
    PUBLIC_BENEFIT_ASSOCIATION = "public_benefit_association"
    TAX_EXEMPT_FOUNDATION = "tax_exempt_foundation"
    NONE = "none"


class MunicipalityKind(StrEnum):
    """The kinds of municipality; all but the first follow law 5393 alone."""

    METROPOLITAN = "metropolitan"
    METROPOLITAN_DISTRICT = "metropolitan_district"
    PROVINCIAL_CENTRE = "provincial_centre"
    DISTRICT = "district"
    TOWN = "town"


class AuthorityKind(StrEnum):
    """Who the highest local civil authority is."""

    GOVERNOR = "governor"
    DISTRICT_GOVERNOR = "district_governor"
