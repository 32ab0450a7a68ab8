from pathlib import Path

from tests.daemon.config_fakes import MINIMAL, faults_of, loaded

DRIVER = (
    '[[driver]]\nname = "bus"\ntype = "modbus"\nlink = "tcp://m:502"\n'
    '[[driver.devices]]\ndevice = "m"\nmap_file = "{}"\n'
)
DEVICES = {"devices": '[[device]]\nname = "m"\n'}
MAP = 'name = "own"\nsource = "own work"\nregister = [\n  {{ field = "power", address = {}, type = "{}" }},\n]\n'


def test_a_fault_in_a_map_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MAP.format(70_000, "floaty"), "utf-8")
    first, *others = faults_of(tmp_path, torhaus=MINIMAL + DRIVER.format("m.toml"), **DEVICES)
    assert first.startswith("torhaus.toml:9: driver[bus].devices[0].map_file: ")
    address, type_ = (o.partition(":")[2] for o in others)
    assert address == "4: register[0].address: is 70000, must be an address from 0 to 65535, as on the wire"
    assert type_.startswith('4: register[0].type: is "floaty", must be one of "bcd", "bits", "bool", "float32",')
    path.write_text("name = [", "utf-8")
    assert len(faults_of(tmp_path, torhaus=MINIMAL + DRIVER.format("m.toml"), **DEVICES)) == 2
    path.write_text(MAP.format(7, "int16"), "utf-8")
    loaded(tmp_path, torhaus=MINIMAL + DRIVER.format("m.toml"), **DEVICES)


def test_a_map_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    (told,) = faults_of(tmp_path, torhaus=MINIMAL + DRIVER.format("none.toml"), **DEVICES)
    assert "cannot be read: No such file" in told
    odd = MINIMAL + '[[driver]]\nname = "bus"\ntype = "modbus"\nlink = "tcp://m:502"\ndevices = ["x"]\n'
    assert len(faults_of(tmp_path, torhaus=odd, **DEVICES)) == 1
