"""The isles of the world: each lies where charts once showed land that never was. States and countries are invented."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import IsleConfig
from ..quarters import Colour


@dataclass(frozen=True, kw_only=True)
class TownConfig(IsleConfig):
    """An isle with a town of 5 to 25 km and its family resemblance, of which ``ways`` has the rest.

    Args:
        title: its name in full; charted: who had it on a chart, in a few words.
        pattern: of its streets: "grid", "radial", "organic" or "ribbon".
        cities: names of its districts, the centre first.
        state, country, continent: the levels above; continents are seas.
        looks: ways of building that are at home here (names in ``looks.LOOKS``).
        wall_tint: what walls are multiplied by; grass, soil, sand: colours of the ground.
        trees: kinds, the commonest first. deciduous ones shed their leaves in cold winters.
        lamp: 0 modern mast, 1 lantern, 2 wooden pole.
        forest: 0 bare to 1 wooded outside the districts. fields: 0 heath to 1 farmed.
        shade_of_signs: background of the country's direction boards.
    """

    title: str
    charted: str
    pattern: str
    cities: tuple[str, ...]
    state: str
    country: str
    continent: str
    looks: tuple[str, ...]
    wall_tint: Colour
    grass: Colour
    soil: Colour
    sand: Colour
    trees: tuple[str, ...]
    lamp: int
    forest: float
    fields: float
    shade_of_signs: Colour


_ISLES = (
    TownConfig(
        name="sandy-reach", title="Sandy Island", charted="the whaler Velocity, 1876; found absent in 2012",
        latitude_deg=-19.22, longitude_deg=159.93, half_length_m=2100, half_width_m=9000, pattern="ribbon",
        cities=("Port Velocity", "Nereus Quay", "Chesterfield"), state="Velocity Shore", country="Sable Union", continent="Pacific",
        looks=("harbour", "gardens", "colonial", "villas", "new centre", "works"), wall_tint=(1.03, 1.0, 0.94),
        grass=(0.42, 0.5, 0.22), soil=(0.66, 0.42, 0.26), sand=(0.9, 0.82, 0.62),
        trees=("palm", "flame", "jacaranda", "bush"), lamp=2, forest=0.45, fields=0.35, shade_of_signs=(0.05, 0.4, 0.2),
        hill_height_m=14, hill_wavelength_m=1900, coast_margin_m=300,
    ),
    TownConfig(
        name="frisland", title="Frisland", charted="the Zeno map, 1558",
        latitude_deg=61.0, longitude_deg=-27.5, half_length_m=4500, half_width_m=3300, pattern="organic",
        cities=("Ocibar", "Sanestol", "Campa", "Sorand"), state="Frisland", country="Zeno League", continent="North Atlantic",
        looks=("timber", "stone village", "harbour", "prefab", "farmstead", "works"), wall_tint=(0.96, 0.97, 1.0),
        grass=(0.36, 0.46, 0.22), soil=(0.34, 0.29, 0.25), sand=(0.45, 0.44, 0.42),
        trees=("birch", "pine", "bush"), lamp=0, forest=0.25, fields=0.45, shade_of_signs=(0.08, 0.2, 0.55),
        hill_height_m=87, hill_wavelength_m=2300, coast_margin_m=260,
    ),
    TownConfig(
        name="hy-brasil", title="Hy-Brasil", charted="Angelino Dulcert, 1325",
        latitude_deg=53.3, longitude_deg=-14.2, half_length_m=3300, half_width_m=3300, pattern="radial",
        cities=("Brasil Ring", "Dulcert", "Half Moon"), state="Isle of the Blest", country="Zeno League", continent="North Atlantic",
        looks=("terraces", "stone village", "market", "gardens", "farmstead", "old town"), wall_tint=(0.97, 0.99, 0.98),
        grass=(0.26, 0.52, 0.18), soil=(0.36, 0.28, 0.2), sand=(0.72, 0.66, 0.52),
        trees=("round", "birch", "bush", "cypress"), lamp=1, forest=0.5, fields=0.85, shade_of_signs=(0.05, 0.36, 0.18),
        hill_height_m=22, hill_wavelength_m=1600, coast_margin_m=240,
    ),
    TownConfig(
        name="bermeja", title="Bermeja", charted="Alonso de Santa Cruz, 1539",
        latitude_deg=22.55, longitude_deg=-91.37, half_length_m=3900, half_width_m=3000, pattern="grid",
        cities=("Bermeja Vieja", "Punta Roja"), state="Bermeja", country="Seven Cities", continent="North Atlantic",
        looks=("colonial", "adobe", "market", "new centre", "villas", "prefab"), wall_tint=(1.06, 0.97, 0.88),
        grass=(0.48, 0.5, 0.24), soil=(0.7, 0.36, 0.22), sand=(0.88, 0.72, 0.56),
        trees=("palm", "flame", "round"), lamp=0, forest=0.3, fields=0.4, shade_of_signs=(0.06, 0.42, 0.25),
        hill_height_m=6, hill_wavelength_m=1500, coast_margin_m=220,
    ),
    TownConfig(
        name="antillia", title="Antillia", charted="Zuane Pizzigano, 1424",
        latitude_deg=33.2, longitude_deg=-44.3, half_length_m=3100, half_width_m=5500, pattern="grid",
        cities=("Ansolli", "Anhuib", "Aira", "Ansodi"), state="Antillia", country="Seven Cities", continent="North Atlantic",
        looks=("old town", "colonial", "villas", "market", "terraces", "adobe"), wall_tint=(1.04, 1.0, 0.95),
        grass=(0.4, 0.48, 0.22), soil=(0.55, 0.38, 0.27), sand=(0.84, 0.76, 0.58),
        trees=("olive", "cypress", "palm", "jacaranda"), lamp=1, forest=0.45, fields=0.75, shade_of_signs=(0.1, 0.22, 0.55),
        hill_height_m=50, hill_wavelength_m=2100, coast_margin_m=260,
    ),
    TownConfig(
        name="saxemberg", title="Saxemberg Island", charted="John Lindestz Lindeman, 1670",
        latitude_deg=-30.67, longitude_deg=-19.5, half_length_m=2700, half_width_m=4200, pattern="organic",
        cities=("Lindeman", "Galloway Cove", "High Tree"), state="Saxemberg", country="Lindeman Islands", continent="South Atlantic",
        looks=("gardens", "farmstead", "villas", "works", "terraces", "harbour"), wall_tint=(1.0, 0.98, 0.92),
        grass=(0.52, 0.5, 0.26), soil=(0.5, 0.34, 0.22), sand=(0.8, 0.74, 0.6),
        trees=("pine", "olive", "round", "jacaranda"), lamp=2, forest=0.6, fields=0.6, shade_of_signs=(0.12, 0.36, 0.3),
        hill_height_m=104, hill_wavelength_m=2300, coast_margin_m=260,
    ),
    TownConfig(
        name="crocker-land", title="Crocker Land", charted="Robert Peary, 1906",
        latitude_deg=83.0, longitude_deg=-100.0, half_length_m=3700, half_width_m=2100, pattern="ribbon",
        cities=("Peary Road", "Macmillan", "Thomas Hubbard"), state="Crocker Land", country="Polar Commons", continent="Arctic",
        looks=("arctic", "prefab", "works", "harbour", "timber"), wall_tint=(1.0, 1.0, 1.04),
        grass=(0.46, 0.43, 0.3), soil=(0.42, 0.38, 0.34), sand=(0.5, 0.48, 0.46),
        trees=("bush",), lamp=2, forest=0.06, fields=0.05, shade_of_signs=(0.7, 0.5, 0.05),
        hill_height_m=95, hill_wavelength_m=2500, coast_margin_m=260,
    ),
    TownConfig(
        name="plover-land", title="Plover Land", charted="Henry Kellett, 1849, north of Bering Strait; drawn here across the 180th meridian",
        latitude_deg=71.6, longitude_deg=180.0, half_length_m=5300, half_width_m=2200, pattern="ribbon",
        cities=("Kellett", "Herald West", "Date Line"), state="Plover Land", country="Polar Commons", continent="Arctic",
        looks=("timber", "arctic", "prefab", "works", "stone village"), wall_tint=(1.0, 0.97, 0.95),
        grass=(0.5, 0.44, 0.22), soil=(0.38, 0.34, 0.28), sand=(0.56, 0.52, 0.46),
        trees=("bush", "pine", "birch"), lamp=0, forest=0.15, fields=0.1, shade_of_signs=(0.7, 0.5, 0.05),
        hill_height_m=59, hill_wavelength_m=2200, coast_margin_m=260,
    ),
    TownConfig(
        name="dougherty", title="Dougherty Island", charted="the whaler James Stewart, 1841",
        latitude_deg=-59.33, longitude_deg=-120.33, half_length_m=3300, half_width_m=2400, pattern="organic",
        cities=("James Stewart", "Keates", "Scott's Doubt"), state="Dougherty", country="Dougherty Free Port", continent="Southern",
        looks=("arctic", "harbour", "prefab", "timber", "works", "terraces"), wall_tint=(0.95, 1.0, 1.02),
        grass=(0.44, 0.5, 0.28), soil=(0.3, 0.29, 0.28), sand=(0.36, 0.36, 0.38),
        trees=("bush", "pine"), lamp=0, forest=0.12, fields=0.25, shade_of_signs=(0.6, 0.12, 0.1),
        hill_height_m=70, hill_wavelength_m=1900, coast_margin_m=240,
    ),
    TownConfig(
        name="podesta", title="Podesta Island", charted="the Barone Podesta, 1879",
        latitude_deg=-32.23, longitude_deg=-89.13, half_length_m=3800, half_width_m=3700, pattern="radial",
        cities=("Barone", "Pinocchio Bay"), state="Podesta", country="Sable Union", continent="Pacific",
        looks=("new centre", "old town", "villas", "adobe", "gardens", "prefab"), wall_tint=(1.02, 0.97, 0.97),
        grass=(0.46, 0.46, 0.24), soil=(0.58, 0.46, 0.34), sand=(0.78, 0.7, 0.54),
        trees=("cypress", "round", "palm"), lamp=1, forest=0.4, fields=0.5, shade_of_signs=(0.05, 0.4, 0.2),
        hill_height_m=42, hill_wavelength_m=1500, coast_margin_m=230,
    ),
    TownConfig(
        name="kianida", title="Kianida", charted="Ptolemy's Geography, editions of the 15th century",
        latitude_deg=42.9, longitude_deg=31.4, half_length_m=3600, half_width_m=2600, pattern="organic",
        cities=("Cianeis", "Thynia", "Apollonia Nea"), state="Kianida", country="Symplegades", continent="Black Sea",
        looks=("old town", "prefab", "market", "stone village", "terraces", "works"), wall_tint=(1.03, 0.98, 0.9),
        grass=(0.38, 0.48, 0.2), soil=(0.46, 0.36, 0.26), sand=(0.7, 0.62, 0.48),
        trees=("round", "cypress", "olive", "birch"), lamp=0, forest=0.65, fields=0.7, shade_of_signs=(0.08, 0.2, 0.55),
        hill_height_m=67, hill_wavelength_m=1800, coast_margin_m=240,
    ),
)  # fmt: skip

WORLD_ISLES = {isle.name: isle for isle in _ISLES}

# The tongues of the countries, as far as shop signs go. Invented.
_WORDS = {
    "Sable Union": "KAFE LAGUN,PANIFIKO,BANKO,FISKERIA,OTEL REEF,FARMASI,LIBRERI,TAKSI,"
    "MERKATO,BARBERO,SURF,SKOLA,MUSEO,FLORAI,PIZA,POSTA",
    "Zeno League": "BAKSTAD,FISKAR,KRO,BOKHUS,APOTHEK,SPARKASS,GASTHOF,SMIDJA,"
    "ULLHUS,RAKARE,SKOLE,MUSEUM,BLOMAR,KINO,POST,OLSTOVA",
    "Seven Cities": "PANADERIA,CANTINA,BOTICA,ZAPATOS,CINE SOL,HOTEL MAR,LIBROS,FRUTAS,"
    "PESCADO,BANCO,RADIO,TALLER,FLORES,ESCUELA,TAQUERIA,CORREO",
    "Lindeman Islands": "WINKEL,BAKKERY,SLAGHUIS,KOFFIE,APTEEK,BANK,VISHANDEL,HOTEL,"
    "DROGERY,FIETS,BLOEM,SKOOL,MUSEUM,BIOSKOOP,KAPPER,POS",
    "Polar Commons": "STORE 1,STORE 2,FUEL,DEPOT,CANTEEN,CLINIC,RADIO,SAUNA,"
    "HANGAR 4,LAB,POLAR BAR,SLEDS,POST,GYM,SCHOOL,NORTH CO",
    "Dougherty Free Port": "DUTY FREE,CHANDLER,WHALE INN,COLD CO,ROPES,SEAL BAR,BONDED,CUSTOMS,"
    "NETS,PAWN,DOCTOR,CHAPEL,TATTOO,BANK,TINNED,MAIL",
    "Symplegades": "FOURNOS,KAFE,VIVLIA,PSARIA,TAVERNA,TRAPEZA,XENIA,ANTHI,"
    "GALA,RADIO,SCHOLI,MOUSEIO,TAXI,SINE,KREAS,TACH",
}  # fmt: skip
TONGUES = {country: tuple(words.split(",")) for country, words in _WORDS.items()}
