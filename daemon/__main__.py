from torhaus.daemon.main import main
