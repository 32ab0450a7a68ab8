/* A Modbus server on libmodbus, for tests: modbus_server tcp | modbus_server rtu PATH UNIT
   Says the port (or "ready") on a line. Holding register n has the value n, input register n 3 * n, coil n is on when
   n is a multiple of 3; a SunSpec chain stands at 40000. 50000 registers of each kind, so addresses beyond are refused. */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void words(modbus_mapping_t *map, int at, const uint16_t *from, int n) {
    memcpy(map->tab_registers + at, from, sizeof(uint16_t) * n);
}

static void put_float(uint16_t *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    at[0] = bits >> 16;
    at[1] = bits & 0xffff;
}

int main(int argc, char **argv) {
    int is_tcp = argc > 1 && strcmp(argv[1], "tcp") == 0;
    modbus_t *ctx = is_tcp ? modbus_new_tcp("127.0.0.1", 0) : modbus_new_rtu(argv[2], 9600, 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(100, 100, 50000, 50000);
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    if (!ctx || !map) return 1;
    for (int n = 0; n < 50000; n++) {
        map->tab_registers[n] = n;
        map->tab_input_registers[n] = 3 * n;
    }
    for (int n = 0; n < 100; n++) map->tab_bits[n] = n % 3 == 0;
    put_float(map->tab_input_registers + 0, 230.1f);
    put_float(map->tab_input_registers + 72, 4711.5f);
    const uint16_t chain[] = {0x5375, 0x6e53, 1, 66};
    words(map, 40000, chain, 4);
    memset(map->tab_registers + 40004, 0, 66 * 2);
    const uint16_t maker[] = {0x546f, 0x7220};
    words(map, 40004, maker, 2);
    const uint16_t meter[] = {64001, 3, 1, 2, 3, 103, 50};
    words(map, 40070, meter, 7);
    for (int n = 0; n < 50; n++) map->tab_registers[40077 + n] = 0x8000;
    map->tab_registers[40075 + 14] = (uint16_t) -1234;
    map->tab_registers[40075 + 15] = (uint16_t) -1;
    map->tab_registers[40075 + 38] = 4;
    const uint16_t end[] = {0xffff, 0};
    words(map, 40127, end, 2);
    if (is_tcp) {
        int listener = modbus_tcp_listen(ctx, 8);
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;
        if (listener < 0 || getsockname(listener, (struct sockaddr *) &addr, &len)) return 1;
        printf("%d\n", ntohs(addr.sin_port));
        fflush(stdout);
        for (;;) {
            if (modbus_tcp_accept(ctx, &listener) < 0) return 1;
            for (int n; (n = modbus_receive(ctx, query)) != -1;)
                if (n > 0) modbus_reply(ctx, query, n, map);
            modbus_close(ctx);
        }
    }
    modbus_set_slave(ctx, atoi(argv[3]));
    if (modbus_connect(ctx)) return 1;
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int n = modbus_receive(ctx, query);
        if (n > 0) modbus_reply(ctx, query, n, map);
        else if (n == -1 && errno != EMBBADCRC && errno != ETIMEDOUT) return 1;
    }
}
