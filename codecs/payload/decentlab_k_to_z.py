"""Decentlab sensors by name, the second half. Source and notation: decentlab.py."""

from typing import Final

_BATTERY: Final = "1: battery_voltage w0 /1000 V"

SENSORS: Final[dict[str, tuple[str, ...]]] = {
    "dl-kl66": (
        (
            "3: counter_reading w0 | measurement_interval w1 /32768 | frequency q0 *32768 Hz | "
            "weight q0 *32768 @square -f0_squared *k /1000000 g | "
            "elongation q0 *32768 @square -f0_squared *k /1000000 *-1.5 /1000 *9.8067 um | "
            "strain q0 *32768 @square -f0_squared *k /1000000 *-1.5 /1000 *9.8067 /0.066 um/m"
        ),
        _BATTERY,
    ),
    "dl-lid": (
        (
            "11: distance_average w0 mm | distance_minimum w1 mm | distance_maximum w2 mm | distance_median w3 mm | "
            "distance_10th_percentile w4 mm | distance_25th_percentile w5 mm | distance_75th_percentile w6 mm | "
            "distance_90th_percentile w7 mm | distance_most_frequent_value w8 mm | number_of_samples w9 | "
            "total_acquisition_time w10 /1.024 ms"
        ),
        _BATTERY,
    ),
    "dl-lid2": (
        (
            "12: distance_average w0 mm | distance_minimum w1 mm | distance_maximum w2 mm | distance_median w3 mm | "
            "distance_10th_percentile w4 mm | distance_25th_percentile w5 mm | distance_75th_percentile w6 mm | "
            "distance_90th_percentile w7 mm | distance_most_frequent_value w8 mm | number_of_valid_samples w9 | "
            "total_acquisition_time w10 /1.024 ms | number_of_total_samples w11"
        ),
        _BATTERY,
    ),
    "dl-lp8p": (
        "2: air_temperature w0 *175.72 /65536 -46.85 Cel | air_humidity w1 *125 /65536 -6 %",
        "2: barometer_temperature w0 -5000 /100 Cel | barometric_pressure w1 *2 Pa",
        (
            "8: co2_concentration w0 -32768 [ppm] | co2_concentration_lpf w1 -32768 [ppm] | "
            "co2_sensor_temperature w2 -32768 /100 Cel | capacitor_voltage_1 w3 /1000 V | "
            "capacitor_voltage_2 w4 /1000 V | co2_sensor_status w5 | raw_ir_reading w6 | raw_ir_reading_lpf w7"
        ),
        _BATTERY,
    ),
    "dl-lpw": ("2: potentiometer_position d0 /8388608 -1 *100 %", _BATTERY),
    "dl-lws": ("2: leaf_wetness_index d0 /8388608 -1", _BATTERY),
    "dl-mbx": ("2: distance w0 mm | number_of_valid_samples w1", _BATTERY),
    "dl-mes5": (
        (
            "5: status w0 | temperature w1 -32768 /100 Cel | sludge_blanket w2 /100 % | suspended_solid w3 /100 g/L | "
            "turbidity w4 /10"
        ),
        _BATTERY,
    ),
    "dl-ntu": (
        (
            "5: status w0 | temperature w1 -32768 /100 Cel | turbidity_in_ntu w2 /10 [NTU] | "
            "turbidity_in_fnu w3 /10 [FNU] | turbidity_in_mg_l w4 /10 mg/L"
        ),
        _BATTERY,
    ),
    "dl-optod": (
        (
            "5: status w0 | temperature w1 -32768 /100 Cel | oxygen_saturation w2 -32768 /100 % | "
            "oxygen_concentration w3 -32768 /100 mg/L | oxygen_concentration_alt w4 -32768 /100 [ppm]"
        ),
        _BATTERY,
    ),
    "dl-par": ("1: photosynthetically_active_radiation w0 /32768 -1 *3 *1000 *5 umol/m2/s", _BATTERY),
    "dl-pheht": (
        (
            "5: status w0 | temperature w1 -32768 /100 Cel | ph w2 -32768 /100 | redox w3 -32768 /10 mV | "
            "ph_mv w4 -32768 /10 mV"
        ),
        _BATTERY,
    ),
    "dl-pm": (
        "1: battery_voltage w0 /1000 V",
        (
            "10: pm1_0_mass_concentration w0 /10 ug/m3 | pm2_5_mass_concentration w1 /10 ug/m3 | "
            "pm4_mass_concentration w2 /10 ug/m3 | pm10_mass_concentration w3 /10 ug/m3 | "
            "typical_particle_size w4 nm | pm0_5_number_concentration w5 /10 /cm3 | "
            "pm1_0_number_concentration w6 /10 /cm3 | pm2_5_number_concentration w7 /10 /cm3 | "
            "pm4_number_concentration w8 /10 /cm3 | pm10_number_concentration w9 /10 /cm3"
        ),
        "2: air_temperature w0 *175.72 /65536 -46.85 Cel | air_humidity w1 *125 /65536 -6 %",
        "1: barometric_pressure w0 *2 Pa",
    ),
    "dl-pr21": ("2: pressure w0 -16384 /32768 *span +pmin bar | temperature w1 -384 *0.003125 -50 Cel", _BATTERY),
    "dl-pr26": ("2: pressure w0 -16384 /32768 *span +pmin bar | temperature w1 -384 *0.003125 -50 Cel", _BATTERY),
    "dl-pr36": ("2: pressure w0 -32768 /kp bar | temperature w1 -32768 /256 Cel", _BATTERY),
    "dl-pr36ctd": (
        (
            "4: pressure w0 -32768 /kp bar | temperature_electronics w1 -32768 /256 Cel | "
            "temperature_pt1000 w2 -32768 /256 Cel | electrical_conductivity w3 -32768 /1024 mS/cm"
        ),
        _BATTERY,
    ),
    "dl-pyr": ("1: total_solar_radiation w0 /32768 -1 *3 *1000 *5 W/m2", _BATTERY),
    "dl-rad": (
        "4: distance w0 mm | temperature w1 -32768 /100 Cel | reliability w2 -32768 /100 dB | status w3",
        _BATTERY,
    ),
    "dl-rhc": ("4: sensor_id d0 | air_humidity w2 /100 % | air_temperature w3 -32768 /100 Cel", _BATTERY),
    "dl-sdd": (
        (
            "18: moisture_at_level_0 w0 -32768 /100 % | moisture_at_level_1 w1 -32768 /100 % | "
            "moisture_at_level_2 w2 -32768 /100 % | moisture_at_level_3 w3 -32768 /100 % | "
            "moisture_at_level_4 w4 -32768 /100 % | moisture_at_level_5 w5 -32768 /100 % | "
            "temperature_at_level_0 w6 -32768 /100 Cel | temperature_at_level_1 w7 -32768 /100 Cel | "
            "temperature_at_level_2 w8 -32768 /100 Cel | temperature_at_level_3 w9 -32768 /100 Cel | "
            "temperature_at_level_4 w10 -32768 /100 Cel | temperature_at_level_5 w11 -32768 /100 Cel | "
            "salinity_at_level_0 w12 -100 | salinity_at_level_1 w13 -100 | salinity_at_level_2 w14 -100 | "
            "salinity_at_level_3 w15 -100 | salinity_at_level_4 w16 -100 | salinity_at_level_5 w17 -100"
        ),
        (
            "18: moisture_at_level_6 w0 -32768 /100 % | moisture_at_level_7 w1 -32768 /100 % | "
            "moisture_at_level_8 w2 -32768 /100 % | moisture_at_level_9 w3 -32768 /100 % | "
            "moisture_at_level_10 w4 -32768 /100 % | moisture_at_level_11 w5 -32768 /100 % | "
            "temperature_at_level_6 w6 -32768 /100 Cel | temperature_at_level_7 w7 -32768 /100 Cel | "
            "temperature_at_level_8 w8 -32768 /100 Cel | temperature_at_level_9 w9 -32768 /100 Cel | "
            "temperature_at_level_10 w10 -32768 /100 Cel | temperature_at_level_11 w11 -32768 /100 Cel | "
            "salinity_at_level_6 w12 -100 | salinity_at_level_7 w13 -100 | salinity_at_level_8 w14 -100 | "
            "salinity_at_level_9 w15 -100 | salinity_at_level_10 w16 -100 | salinity_at_level_11 w17 -100"
        ),
        _BATTERY,
    ),
    "dl-sht21": ("2: air_temperature w0 *175.72 /65536 -46.85 Cel | air_humidity w1 *125 /65536 -6 %", _BATTERY),
    "dl-sht35": ("2: air_temperature w0 *175 /65535 -45 Cel | air_humidity w1 *100 /65535 %", _BATTERY),
    "dl-smtp": (
        (
            "16: soil_moisture_at_depth_0 w0 -2500 /500 | soil_temperature_at_depth_0 w1 -32768 /100 Cel | "
            "soil_moisture_at_depth_1 w2 -2500 /500 | soil_temperature_at_depth_1 w3 -32768 /100 Cel | "
            "soil_moisture_at_depth_2 w4 -2500 /500 | soil_temperature_at_depth_2 w5 -32768 /100 Cel | "
            "soil_moisture_at_depth_3 w6 -2500 /500 | soil_temperature_at_depth_3 w7 -32768 /100 Cel | "
            "soil_moisture_at_depth_4 w8 -2500 /500 | soil_temperature_at_depth_4 w9 -32768 /100 Cel | "
            "soil_moisture_at_depth_5 w10 -2500 /500 | soil_temperature_at_depth_5 w11 -32768 /100 Cel | "
            "soil_moisture_at_depth_6 w12 -2500 /500 | soil_temperature_at_depth_6 w13 -32768 /100 Cel | "
            "soil_moisture_at_depth_7 w14 -2500 /500 | soil_temperature_at_depth_7 w15 -32768 /100 Cel"
        ),
        _BATTERY,
    ),
    "dl-tbrg": (
        "4: precipitation w0 *resolution mm | precipitation_interval w1 s | cumulative_precipitation d2 *resolution mm",
        _BATTERY,
    ),
    "dl-tp": (
        (
            "16: temperature_at_level_0 w0 -32768 /100 Cel | temperature_at_level_1 w1 -32768 /100 Cel | "
            "temperature_at_level_2 w2 -32768 /100 Cel | temperature_at_level_3 w3 -32768 /100 Cel | "
            "temperature_at_level_4 w4 -32768 /100 Cel | temperature_at_level_5 w5 -32768 /100 Cel | "
            "temperature_at_level_6 w6 -32768 /100 Cel | temperature_at_level_7 w7 -32768 /100 Cel | "
            "temperature_at_level_8 w8 -32768 /100 Cel | temperature_at_level_9 w9 -32768 /100 Cel | "
            "temperature_at_level_10 w10 -32768 /100 Cel | temperature_at_level_11 w11 -32768 /100 Cel | "
            "temperature_at_level_12 w12 -32768 /100 Cel | temperature_at_level_13 w13 -32768 /100 Cel | "
            "temperature_at_level_14 w14 -32768 /100 Cel | temperature_at_level_15 w15 -32768 /100 Cel"
        ),
        _BATTERY,
    ),
    "dl-trs11": (
        (
            "2: dielectric_permittivity w0 /10 @permittivity | "
            "volumetric_water_content w0 /10 *0.0003879 -0.6956 m3/m3 | soil_temperature w1 -32768 /10 Cel"
        ),
        _BATTERY,
    ),
    "dl-trs12": (
        (
            "3: dielectric_permittivity w0 /10 @permittivity | "
            "volumetric_water_content w0 /10 *0.0003879 -0.6956 m3/m3 | soil_temperature w1 -32768 /10 Cel | "
            "electrical_conductivity w2 uS/cm"
        ),
        _BATTERY,
    ),
    "dl-trs21": ("2: water_potential w0 /-10 kPa | soil_temperature w1 -32768 /10 Cel", _BATTERY),
    "dl-wrm": (
        "2: air_temperature w0 *175 /65535 -45 Cel | air_humidity w1 *100 /65535 %",
        "2: surface_temperature w0 -1000 /10 Cel | head_temperature w1 -1000 /10 Cel",
        _BATTERY,
    ),
    "dl-zn1": ("2: dendrometer_position d0 /8388608 -1 *20000 um", _BATTERY),
    "dl-zn2": (
        "4: dendrometer_a_position d0 /8388608 -1 *20000 um | dendrometer_b_position s0 /8388608 *20000 um",
        _BATTERY,
    ),
}
