"""Decentlab sensors by name, the first half. Source and notation: decentlab.py."""

from typing import Final

_BATTERY: Final = "1: battery_voltage w0 /1000 V"

SENSORS: Final[dict[str, tuple[str, ...]]] = {
    "dl-10hs": (
        (
            "1: raw_sensor_reading w0 -32768 *3 /32768 *1000 mV | "
            "volumetric_water_content w0 -32768 *3000 /32768 @vwc_10hs m3/m3"
        ),
        _BATTERY,
    ),
    "dl-5te": (
        (
            "3: dielectric_permittivity w0 /50 | volumetric_water_content w0 /50 @topp m3/m3 | "
            "soil_temperature w1 -400 /10 Cel | electrical_conductivity w2 *10 uS/cm"
        ),
        _BATTERY,
    ),
    "dl-5tm": (
        (
            "2: dielectric_permittivity w0 /50 | volumetric_water_content w0 /50 @topp m3/m3 | "
            "soil_temperature w1 -400 /10 Cel"
        ),
        _BATTERY,
    ),
    "dl-ac": (
        "2: air_temperature w0 *175.72 /65536 -46.85 Cel | air_humidity w1 *125 /65536 -6 %",
        (
            "2: ch4_no2_we w0 /32768 -1 *3 *1000 mV | ch4_no2_we_aux w1 /32768 -1 *3 *1000 mV | "
            "ch4_no2_concentration_we w0 /32768 -1 *3000 -no2_we_0 /no2_s [ppb] | "
            "ch4_no2_concentration_we_aux w1 /32768 -1 *3000 -no2_we_0 +no2_aux_0 /no2_s [ppb]"
        ),
        (
            "2: ch5_no_we w0 /32768 -1 *3 *1000 mV | ch5_no_we_aux w1 /32768 -1 *3 *1000 mV | "
            "ch5_no_concentration_we w0 /32768 -1 *3000 -no_we_0 /no_s [ppb] | "
            "ch5_no_concentration_we_aux w1 /32768 -1 *3000 -no_we_0 +no_aux_0 /no_s [ppb]"
        ),
        (
            "2: ch6_ox_we w0 /32768 -1 *3 *1000 mV | ch6_ox_we_aux w1 /32768 -1 *3 *1000 mV | "
            "ch6_ox_concentration_we w0 /32768 -1 *3000 -ox_we_0 /ox_s [ppb] | "
            "ch6_ox_concentration_we_aux w1 /32768 -1 *3000 -ox_we_0 +ox_aux_0 /ox_s [ppb]"
        ),
        (
            "2: ch7_co_we w0 /32768 -1 *3 *1000 mV | ch7_co_we_aux w1 /32768 -1 *3 *1000 mV | "
            "ch7_co_concentration_we w0 /32768 -1 *3000 -co_we_0 /co_s [ppb] | "
            "ch7_co_concentration_we_aux w1 /32768 -1 *3000 -co_we_0 +co_aux_0 /co_s [ppb]"
        ),
        _BATTERY,
    ),
    "dl-alb": (
        "2: incoming_radiation w0 -32768 /10 W/m2 | reflected_radiation w1 -32768 /10 W/m2 | albedo a0",
        _BATTERY,
    ),
    "dl-atm22": (
        (
            "8: wind_speed w0 -32768 /100 m/s | wind_direction w1 -32768 /10 deg | "
            "maximum_wind_speed w2 -32768 /100 m/s | air_temperature w3 -32768 /10 Cel | "
            "x_orientation_angle w4 -32768 /10 deg | y_orientation_angle w5 -32768 /10 deg | "
            "north_wind_speed w6 -32768 /100 m/s | east_wind_speed w7 -32768 /100 m/s"
        ),
        _BATTERY,
    ),
    "dl-atm41": (
        (
            "17: solar_radiation w0 -32768 W/m2 | precipitation w1 -32768 /1000 mm | "
            "lightning_strike_count w2 -32768 | lightning_average_distance w3 -32768 km | "
            "wind_speed w4 -32768 /100 m/s | wind_direction w5 -32768 /10 deg | "
            "maximum_wind_speed w6 -32768 /100 m/s | air_temperature w7 -32768 /10 Cel | "
            "vapor_pressure w8 -32768 /100 kPa | atmospheric_pressure w9 -32768 /100 kPa | "
            "relative_humidity w10 -32768 /10 % | sensor_temperature_internal w11 -32768 /10 Cel | "
            "x_orientation_angle w12 -32768 /10 deg | y_orientation_angle w13 -32768 /10 deg | "
            "compass_heading w14 -32768 deg | north_wind_speed w15 -32768 /100 m/s | "
            "east_wind_speed w16 -32768 /100 m/s"
        ),
        _BATTERY,
    ),
    "dl-atm41g2": (
        (
            "17: solar_radiation w0 -32768 /10 W/m2 | precipitation w1 /1000 mm | lightning_strike_count w2 -32768 | "
            "lightning_average_distance w3 -32768 km | wind_speed w4 -32768 /100 m/s | "
            "wind_direction w5 -32768 /10 deg | maximum_wind_speed w6 -32768 /100 m/s | "
            "air_temperature w7 -32768 /10 Cel | vapor_pressure w8 -32768 /100 kPa | "
            "barometric_pressure w9 -32768 /100 kPa | relative_humidity w10 -32768 /10 % | "
            "internal_temperature w11 -32768 /10 Cel | tilt_angle_x_orientation w12 -32768 /10 deg | "
            "tilt_angle_y_orientation w13 -32768 /10 deg | precipitation_electrical_conductivity w14 -32768 uS/cm | "
            "cumulative_precipitation d15 /1000 mm"
        ),
        _BATTERY,
    ),
    "dl-blg": (
        (
            "2: voltage_ratio d0 /8388608 -1 /2 | thermistor_resistance d0 /8388608 -1 /2 @half_bridge Ohm | "
            "temperature d0 /8388608 -1 /2 @half_bridge @steinhart_hart Cel"
        ),
        _BATTERY,
    ),
    "dl-ctd10": (
        (
            "4: water_depth w0 -32768 mm | temperature w1 -32768 /10 Cel | electrical_conductivity w2 uS/cm | "
            "freezing_flag w3"
        ),
        _BATTERY,
    ),
    "dl-ctd10b": (
        (
            "4: water_depth w0 -32768 mm | temperature w1 -32768 /10 Cel | electrical_conductivity w2 *2 uS/cm | "
            "freezing_flag w3"
        ),
        _BATTERY,
    ),
    "dl-cws": (
        (
            "6: surface_temperature w0 -32768 /100 Cel | air_temperature w1 -32768 /100 Cel | "
            "air_humidity w2 -32768 /100 % | dew_point w3 -32768 /100 Cel | angle w4 -32768 deg | "
            "sensor_temperature w5 -32768 /100 Cel"
        ),
        _BATTERY,
    ),
    "dl-cws2": (
        "2: air_temperature_radiation_shield w0 *175 /65535 -45 Cel | air_humidity_radiation_shield w1 *100 /65535 %",
        (
            "6: surface_temperature w0 -32768 /100 Cel | air_temperature w1 -32768 /100 Cel | "
            "air_humidity w2 -32768 /100 % | dew_point w3 -32768 /100 Cel | angle w4 -32768 deg | "
            "sensor_temperature w5 -32768 /100 Cel"
        ),
        _BATTERY,
    ),
    "dl-dlr2-002": ("4: pulse_count w0 | pulse_interval w1 s | cumulative_pulse_count d2", _BATTERY),
    "dl-dlr2-003": ("1: input w0", _BATTERY),
    "dl-dlr2-004": ("1: current w0 -32768 *3 /32768 /2 /r *1000 mA", _BATTERY),
    "dl-dlr2-005": ("2: voltage d0 /8388608 -1 *3 V", _BATTERY),
    "dl-dlr2-006": ("2: potentiometer_position d0 /8388608 -1", _BATTERY),
    "dl-dlr2-008": ("2: temperature d0 /8388608 -1 /2 @bridge *r @pt1000 Cel", _BATTERY),
    "dl-dlr2-009": (
        (
            "2: thermistor_resistance d0 /8388608 -1 @bridge *2000 Ohm | "
            "temperature d0 /8388608 -1 @bridge *2000 @pt1000_fine Cel"
        ),
        _BATTERY,
    ),
    "dl-dlr2-010": (
        "4: ch0_pulse_count w0 | ch0_pulse_interval w1 s | ch0_cumulative_pulse_count d2",
        "4: ch1_pulse_count w0 | ch1_pulse_interval w1 s | ch1_cumulative_pulse_count d2",
        _BATTERY,
    ),
    "dl-dlr2-011": ("1: ch0_input w0", "1: ch1_input w0", _BATTERY),
    "dl-dlr2-012": ("2: strain_gauge d0 /8388608 -1 /64 *4 /2.02 *1000000 um/m", _BATTERY),
    "dl-ds18": ("1: temperature w0 -32768 /16 Cel", _BATTERY),
    "dl-ds182": (
        "2: ch0_temperature w0 -32768 /16 Cel | ch0_id w1",
        "2: ch1_temperature w0 -32768 /16 Cel | ch1_id w1",
        _BATTERY,
    ),
    "dl-dws": ("3: frequency q0 *32768 Hz | weight q0 *32768 @square -f02 *s +m0 g", _BATTERY),
    "dl-epar": ("1: photosynthetically_active_radiation w0 /32768 -1 *3 /64 *1000 *100 umol/m2/s", _BATTERY),
    "dl-fspar": ("1: photosynthetically_active_radiation w0 /32768 -1 *3 /64 *1000 *100 umol/m2/s", _BATTERY),
    "dl-gmm": (
        (
            "7: photosynthetically_active_radiation w0 -32768 /10 umol/m2/s | air_temperature w1 -32768 /100 Cel | "
            "air_humidity w2 -32768 /10 % | co2_concentration w3 -32768 [ppm] | "
            "atmospheric_pressure w4 -32768 /100 kPa | vapor_pressure_deficit w5 -32768 /100 kPa | "
            "dew_point w6 -32768 /100 Cel"
        ),
        _BATTERY,
    ),
    "dl-gs3": (
        (
            "3: dielectric_permittivity w0 /100 | volumetric_water_content w0 /100 @topp_gs3 m3/m3 | "
            "soil_temperature w1 -32768 /10 Cel | electrical_conductivity w2 uS/cm"
        ),
        _BATTERY,
    ),
    "dl-iam": (
        "1: battery_voltage w0 /1000 V",
        "2: air_temperature w0 *175 /65535 -45 Cel | air_humidity w1 *100 /65535 %",
        "1: barometric_pressure w0 *2 Pa",
        "2: ambient_light_visible_infrared w0 | ambient_light_infrared w1 | illuminance l0 lx",
        "3: co2_concentration w0 -32768 [ppm] | co2_sensor_status w1 | raw_ir_reading w2",
        "1: activity_counter w0",
        "1: total_voc w0 [ppb]",
    ),
    "dl-ifd": ("1: fruit_size w0 /100 mm", _BATTERY),
    "dl-ilt": ("1: leaf_temperature w0 -32768 /100 Cel", _BATTERY),
    "dl-isd": ("1: stem_size w0 /1000 mm", _BATTERY),
    "dl-isf": (
        (
            "16: sap_flow w0 *16 -50000 /1000 L/h | heat_velocity_outer w1 *16 -50000 /1000 cm/h | "
            "heat_velocity_inner w2 *16 -50000 /1000 cm/h | alpha_outer w3 *32 -1000000 /100000 | "
            "alpha_inner w4 *32 -1000000 /100000 | beta_outer w5 *32 -1000000 /100000 | "
            "beta_inner w6 *32 -1000000 /100000 | tmax_outer w7 *2 /1000 s | tmax_inner w8 *2 /1000 s | "
            "temperature_outer w9 -32768 /100 Cel | max_voltage w10 -32768 /1000 V | min_voltage w11 -32768 /1000 V | "
            "diagnostic d12 | upstream_tmax_outer w14 *2 /1000 s | upstream_tmax_inner w15 *2 /1000 s"
        ),
        _BATTERY,
    ),
    "dl-itst": ("2: temperature_target w0 -1000 /10 Cel | temperature_head w1 -1000 /10 Cel", _BATTERY),
}
