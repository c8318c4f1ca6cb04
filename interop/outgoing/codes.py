"""Panel's words beside the codes of others. What has no exact counterpart is not in a table."""

ETHNIC_CATEGORIES = {
    "white_british": ("A", "White - British"),
    "white_irish": ("B", "White - Irish"),
    "white_other": ("C", "White - Any other White background"),
    "mixed_white_black_caribbean": ("D", "Mixed - White and Black Caribbean"),
    "mixed_white_black_african": ("E", "Mixed - White and Black African"),
    "mixed_white_asian": ("F", "Mixed - White and Asian"),
    "mixed_other": ("G", "Mixed - Any other mixed background"),
    "asian_indian": ("H", "Asian or Asian British - Indian"),
    "asian_pakistani": ("J", "Asian or Asian British - Pakistani"),
    "asian_bangladeshi": ("K", "Asian or Asian British - Bangladeshi"),
    "asian_other": ("L", "Asian or Asian British - Any other Asian background"),
    "black_caribbean": ("M", "Black or Black British - Caribbean"),
    "black_african": ("N", "Black or Black British - African"),
    "black_other": ("P", "Black or Black British - Any other Black background"),
    "chinese": ("R", "Other Ethnic Groups - Chinese"),
    "other": ("S", "Other Ethnic Groups - Any other ethnic group"),
    "not_stated": ("Z", "Not stated"),
    "not_known": ("99", "Not known"),
}
"""Panel's codes beside those of England's ethnic category (UKCore-EthnicCategoryEngland)."""

ETHNIC_CATEGORIES |= {
    words.casefold(): (code, words) for code, words in tuple(ETHNIC_CATEGORIES.values())
}

LANGUAGES = {
    "afrikaans": "af", "akan": "ak", "albanian": "sq", "amharic": "am", "arabic": "ar",
    "armenian": "hy", "azerbaijani": "az", "bengali": "bn", "bosnian": "bs",
    "british sign language": "bfi", "bsl": "bfi", "bulgarian": "bg", "burmese": "my",
    "cantonese": "yue", "catalan": "ca", "chinese": "zh", "croatian": "hr", "czech": "cs",
    "danish": "da", "dari": "prs", "dutch": "nl", "english": "en", "estonian": "et",
    "farsi": "fa", "finnish": "fi", "french": "fr", "georgian": "ka", "german": "de",
    "greek": "el", "gujarati": "gu", "hausa": "ha", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "igbo": "ig", "irish": "ga", "italian": "it", "japanese": "ja",
    "korean": "ko", "kurdish": "ku", "latvian": "lv", "lingala": "ln", "lithuanian": "lt",
    "malay": "ms", "malayalam": "ml", "mandarin": "cmn", "marathi": "mr", "mongolian": "mn",
    "nepali": "ne", "norwegian": "no", "oromo": "om", "pashto": "ps", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romanian": "ro", "romani": "rom",
    "russian": "ru", "serbian": "sr", "shona": "sn", "sinhala": "si", "slovak": "sk",
    "slovenian": "sl", "somali": "so", "spanish": "es", "swahili": "sw", "swedish": "sv",
    "sylheti": "syl", "tagalog": "tl", "tamil": "ta", "telugu": "te", "thai": "th",
    "tibetan": "bo", "tigrinya": "ti", "turkish": "tr", "twi": "tw", "ukrainian": "uk",
    "urdu": "ur", "vietnamese": "vi", "welsh": "cy", "wolof": "wo", "yiddish": "yi",
    "yoruba": "yo", "zulu": "zu",
}  # fmt: skip
"""A language in words, small letters, beside its BCP 47 tag."""
UNDETERMINED = "und"
"""R4 requires a tag: this one says that it is not known, beside the words."""

RELATIONSHIPS = {
    "adoptive father": ("ADOPTF", "adoptive father"),
    "adoptive mother": ("ADOPTM", "adoptive mother"),
    "adoptive parent": ("ADOPTP", "adoptive parent"),
    "aunt": ("AUNT", "aunt"),
    "brother": ("BRO", "brother"),
    "cousin": ("COUSN", "cousin"),
    "family member": ("FAMMEMB", "family member"),
    "father": ("FTH", "father"),
    "foster father": ("FTHFOST", "foster father"),
    "foster mother": ("MTHFOST", "foster mother"),
    "foster parent": ("PRNFOST", "foster parent"),
    "grandfather": ("GRFTH", "grandfather"),
    "grandmother": ("GRMTH", "grandmother"),
    "grandparent": ("GRPRN", "grandparent"),
    "half-brother": ("HBRO", "half-brother"),
    "half-sister": ("HSIS", "half-sister"),
    "mother": ("MTH", "mother"),
    "parent": ("PRN", "parent"),
    "sibling": ("SIB", "sibling"),
    "sister": ("SIS", "sister"),
    "step-father": ("STPFTH", "stepfather"),
    "step-mother": ("STPMTH", "stepmother"),
    "stepfather": ("STPFTH", "stepfather"),
    "stepmother": ("STPMTH", "stepmother"),
    "twin": ("TWIN", "twin"),
    "uncle": ("UNCLE", "uncle"),
}
"""A relationship in words, small letters, beside v3-RoleCode and its words."""

ORGANIZATION_TYPES = {
    "health": ("prov", "Healthcare Provider"),
    "gp": ("prov", "Healthcare Provider"),
    "education": ("edu", "Educational Institute"),
    "school": ("edu", "Educational Institute"),
    "council": ("govt", "Government"),
    "social_care": ("govt", "Government"),
}
"""An agency's kind beside HL7's organization type, where it is one of them for certain."""

NEEDS = {
    "spld": "Specific learning difficulty",
    "mld": "Moderate learning difficulty",
    "sld": "Severe learning difficulty",
    "pmld": "Profound and multiple learning difficulty",
    "semh": "Social, emotional and mental health",
    "slcn": "Speech, language and communication",
    "hi": "Hearing impairment",
    "vi": "Vision impairment",
    "msi": "Multi-sensory impairment",
    "pd": "Physical disability",
    "asd": "Autistic spectrum disorder",
    "ds": "Down syndrome",
    "oth": "Other difficulty or disability",
}
"""The words of the primary types of need that schools and the census use."""

UCUM_UNITS = {"hour": "h", "week": "wk"}
"""Units that are units of time; a night or a session is none."""
