// A whole VST3 plug-in in one file, for tests: stereo, with a gain by name, 480 frames of latency that it reports, and
// a parameter that ends its process. It needs no SDK: the interfaces are written out as the binary interface has them
// on Linux (each is a table of functions in this order, without a destructor).

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using Result = int32_t;
using Id = char[16];
using Text = int16_t[128];

constexpr Result ok = 0, no_interface = -1, invalid = 2, not_implemented = 3;
constexpr int32_t latency_frames = 480;
constexpr double lowest_db = -24.0, highest_db = 24.0;
constexpr uint32_t gain = 0, crash = 1, parameters = 2;

#pragma pack(push, 16)  // the natural alignment of 64-bit systems

struct FactoryInfo { char vendor[64], url[256], email[128]; int32_t flags; };
struct ClassInfo { Id id; int32_t cardinality; char category[32], name[64]; };
struct BusInfo { int32_t media, direction, channels; Text name; int32_t type; uint32_t flags; };
struct ParameterInfo {
  uint32_t id;
  Text title, short_title, units;
  int32_t steps;
  double normal;
  int32_t unit, flags;
};
struct Setup { int32_t mode, sample_size, most_frames; double rate; };
struct Buffers { int32_t channels; uint64_t silent; float** samples; };

#pragma pack(pop)

struct Unknown {
  virtual Result query(const Id wanted, void** found) = 0;
  virtual uint32_t keep() = 0;
  virtual uint32_t release() = 0;
};
struct Base : Unknown {
  virtual Result initialize(Unknown*) = 0;
  virtual Result terminate() = 0;
};
struct Component : Base {
  virtual Result controller_class(Id) = 0;
  virtual Result set_io_mode(int32_t) = 0;
  virtual int32_t bus_count(int32_t media, int32_t direction) = 0;
  virtual Result bus_info(int32_t media, int32_t direction, int32_t index, BusInfo*) = 0;
  virtual Result routing(void*, void*) = 0;
  virtual Result activate_bus(int32_t, int32_t, int32_t, uint8_t) = 0;
  virtual Result set_active(uint8_t) = 0;
  virtual Result set_state(Unknown*) = 0;
  virtual Result get_state(Unknown*) = 0;
};
struct Queue : Unknown {
  virtual uint32_t parameter() = 0;
  virtual int32_t points() = 0;
  virtual Result point(int32_t, int32_t* frame, double* value) = 0;
  virtual Result add(int32_t, double, int32_t*) = 0;
};
struct Changes : Unknown {
  virtual int32_t count() = 0;
  virtual Queue* at(int32_t) = 0;
  virtual Queue* add(const uint32_t*, int32_t*) = 0;
};
struct Data {
  int32_t mode, sample_size, frames, inputs, outputs;
  Buffers *in, *out;
  Changes *changes, *changed;
  void *events_in, *events_out, *context;
};
struct Processor : Unknown {
  virtual Result set_arrangements(uint64_t*, int32_t, uint64_t*, int32_t) = 0;
  virtual Result arrangement(int32_t, int32_t, uint64_t*) = 0;
  virtual Result takes_sample_size(int32_t) = 0;
  virtual uint32_t latency() = 0;
  virtual Result set_up(Setup*) = 0;
  virtual Result set_processing(uint8_t) = 0;
  virtual Result process(Data*) = 0;
  virtual uint32_t tail() = 0;
};
struct Controller : Base {
  virtual Result set_component_state(Unknown*) = 0;
  virtual Result set_state(Unknown*) = 0;
  virtual Result get_state(Unknown*) = 0;
  virtual int32_t parameter_count() = 0;
  virtual Result parameter_info(int32_t, ParameterInfo*) = 0;
  virtual Result text_of(uint32_t, double, int16_t*) = 0;
  virtual Result value_of(uint32_t, int16_t*, double*) = 0;
  virtual double plain(uint32_t, double) = 0;
  virtual double normalised(uint32_t, double) = 0;
  virtual double value(uint32_t) = 0;
  virtual Result set_value(uint32_t, double) = 0;
  virtual Result set_handler(Unknown*) = 0;
  virtual Unknown* view(const char*) = 0;
};
struct Factory : Unknown {
  virtual Result info(FactoryInfo*) = 0;
  virtual int32_t classes() = 0;
  virtual Result class_info(int32_t, ClassInfo*) = 0;
  virtual Result create(const Id wanted, const Id as, void** made) = 0;
};

constexpr uint8_t unknown_id[16] = {0, 0, 0, 0, 0, 0, 0, 0,
    0xC0, 0, 0, 0, 0, 0, 0, 0x46};
constexpr uint8_t base_id[16] = {0x22, 0x88, 0x8D, 0xDB, 0x15, 0x6E, 0x45, 0xAE,
    0x83, 0x58, 0xB3, 0x48, 0x08, 0x19, 0x06, 0x25};
constexpr uint8_t component_id[16] = {0xE8, 0x31, 0xFF, 0x31, 0xF2, 0xD5, 0x43, 0x01,
    0x92, 0x8E, 0xBB, 0xEE, 0x25, 0x69, 0x78, 0x02};
constexpr uint8_t processor_id[16] = {0x42, 0x04, 0x3F, 0x99, 0xB7, 0xDA, 0x45, 0x3C,
    0xA5, 0x69, 0xE7, 0x9D, 0x9A, 0xAE, 0xC3, 0x3D};
constexpr uint8_t controller_id[16] = {0xDC, 0xD7, 0xBB, 0xE3, 0x77, 0x42, 0x44, 0x8D,
    0xA8, 0x74, 0xAA, 0xCC, 0x97, 0x9C, 0x75, 0x9E};
constexpr uint8_t factory_id[16] = {0x7A, 0x4D, 0x81, 0x1C, 0x52, 0x11, 0x4A, 0x1F,
    0xAE, 0xD9, 0xD2, 0xEE, 0x0B, 0x43, 0xBF, 0x9F};
constexpr uint8_t own_id[16] = {'N', 'R', 'X', ' ', 't', 'e', 's', 't',
    ' ', 'l', 'e', 'v', 'e', 'l', ' ', '1'};

bool same(const void* one, const void* other) { return std::memcmp(one, other, 16) == 0; }

void write(int16_t* to, const char* text) {
  while ((*to++ = *text++) != 0) {}
}

double decibels(double value) { return lowest_db + value * (highest_db - lowest_db); }



struct Level final : Component, Processor, Controller {
  uint32_t owners = 1;
  double values[parameters] = {0.5, 0.0};
  float held[2][latency_frames] = {};
  int32_t place = 0;

  Result query(const Id wanted, void** found) override {
    *found = nullptr;
    const bool basic = same(wanted, unknown_id) || same(wanted, base_id);
    if (basic || same(wanted, component_id)) *found = static_cast<Component*>(this);
    if (same(wanted, processor_id)) *found = static_cast<Processor*>(this);
    if (same(wanted, controller_id)) *found = static_cast<Controller*>(this);
    if (*found == nullptr) return no_interface;
    keep();
    return ok;
  }
  uint32_t keep() override { return ++owners; }
  uint32_t release() override {
    const uint32_t left = --owners;
    if (left == 0) delete this;
    return left;
  }
  Result initialize(Unknown*) override { return ok; }
  Result terminate() override { return ok; }

  Result controller_class(Id) override { return not_implemented; }  // this object is the controller, too
  Result set_io_mode(int32_t) override { return not_implemented; }
  int32_t bus_count(int32_t media, int32_t) override { return media == 0; }
  Result bus_info(int32_t media, int32_t direction, int32_t index, BusInfo* info) override {
    if (media != 0 || index != 0) return invalid;
    *info = {media, direction, 2, {}, 0, 1};
    write(info->name, direction == 0 ? "In" : "Out");
    return ok;
  }
  Result routing(void*, void*) override { return not_implemented; }
  Result activate_bus(int32_t, int32_t, int32_t, uint8_t) override { return ok; }
  Result set_active(uint8_t) override {
    std::memset(held, 0, sizeof held);
    place = 0;
    return ok;
  }
  Result set_state(Unknown*) override { return ok; }
  Result get_state(Unknown*) override { return ok; }

  Result set_arrangements(uint64_t* in, int32_t ins, uint64_t* out, int32_t outs) override {
    return ins == 1 && outs == 1 && *in == 3 && *out == 3 ? ok : 1;
  }
  Result arrangement(int32_t, int32_t, uint64_t* which) override {
    *which = 3;  // left and right
    return ok;
  }
  Result takes_sample_size(int32_t size) override { return size == 0 ? ok : 1; }
  uint32_t latency() override { return latency_frames; }
  Result set_up(Setup*) override { return ok; }
  Result set_processing(uint8_t) override { return ok; }
  uint32_t tail() override { return 0; }
  Result process(Data* data) override {
    for (int32_t index = 0; data->changes != nullptr && index < data->changes->count(); ++index) {
      Queue* queue = data->changes->at(index);
      int32_t frame = 0;
      if (queue->points() > 0 && queue->parameter() < parameters)
        queue->point(queue->points() - 1, &frame, &values[queue->parameter()]);
    }
    if (values[crash] >= 0.5) std::abort();
    const float factor = static_cast<float>(__builtin_pow(10.0, decibels(values[gain]) / 20.0));
    for (int32_t frame = 0; data->inputs > 0 && data->outputs > 0 && frame < data->frames; ++frame) {
      for (int32_t side = 0; side < 2 && side < data->out->channels; ++side) {
        const float now = data->in->samples[side][frame];
        data->out->samples[side][frame] = factor * held[side][place];
        held[side][place] = now;
      }
      place = (place + 1) % latency_frames;
    }
    return ok;
  }

  Result set_component_state(Unknown*) override { return ok; }
  int32_t parameter_count() override { return parameters; }
  Result parameter_info(int32_t index, ParameterInfo* info) override {
    const auto id = static_cast<uint32_t>(index);
    if (id >= parameters) return invalid;
    *info = {};
    info->id = id;
    info->steps = id == crash ? 1 : 0;
    info->normal = id == gain ? 0.5 : 0.0;
    info->flags = 1;  // it can be automated
    write(info->title, id == gain ? "Gain" : "Crash");
    write(info->short_title, id == gain ? "Gain" : "Crash");
    write(info->units, id == gain ? "dB" : "");
    return ok;
  }
  Result text_of(uint32_t id, double normal, int16_t* text) override {
    char said[32];
    if (id == gain) std::snprintf(said, sizeof said, "%.2f", decibels(normal));
    else std::snprintf(said, sizeof said, "%s", normal >= 0.5 ? "On" : "Off");
    write(text, said);
    return ok;
  }
  Result value_of(uint32_t id, int16_t* text, double* normal) override {
    char said[32] = {};
    for (int place = 0; place < 31 && text[place] != 0; ++place) said[place] = static_cast<char>(text[place]);
    *normal = id == gain ? normalised(gain, std::atof(said)) : (said[1] == 'n' ? 1.0 : 0.0);
    return ok;
  }
  double plain(uint32_t id, double normal) override { return id == gain ? decibels(normal) : normal; }
  double normalised(uint32_t id, double plain) override {
    return id == gain ? (plain - lowest_db) / (highest_db - lowest_db) : plain;
  }
  double value(uint32_t id) override { return id < parameters ? values[id] : 0.0; }
  Result set_value(uint32_t id, double normal) override {
    if (id >= parameters) return invalid;
    values[id] = normal;
    return ok;
  }
  Result set_handler(Unknown*) override { return ok; }
  Unknown* view(const char*) override { return nullptr; }
};

struct Levels : Factory {
  Result query(const Id wanted, void** found) override {
    *found = same(wanted, unknown_id) || same(wanted, factory_id) ? this : nullptr;
    return *found == nullptr ? no_interface : ok;
  }
  uint32_t keep() override { return 1; }
  uint32_t release() override { return 1; }
  Result info(FactoryInfo* info) override {
    *info = {"NRX Bridge tests", "", "", 0x10};
    return ok;
  }
  int32_t classes() override { return 1; }
  Result class_info(int32_t, ClassInfo* info) override {
    *info = {{}, 0x7FFFFFFF, "Audio Module Class", "Level"};
    std::memcpy(info->id, own_id, 16);
    return ok;
  }
  Result create(const Id wanted, const Id as, void** made) override {
    *made = nullptr;
    if (!same(wanted, own_id)) return invalid;
    auto* level = new Level;
    const Result found = static_cast<Component*>(level)->query(as, made);
    static_cast<Component*>(level)->release();
    return found;
  }
};

Levels the_factory;

}  // namespace

extern "C" {
__attribute__((visibility("default"))) void* GetPluginFactory() { return &the_factory; }
__attribute__((visibility("default"))) bool ModuleEntry(void*) { return true; }
__attribute__((visibility("default"))) bool ModuleExit() { return true; }
}
